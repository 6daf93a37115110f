// Parameters: what a user may set for a reply. Everything is optional; what is unset comes from the model's file, then from the engine.
// One table gives each its name, its meaning and its key in a model's file; flags, `/set parameter` and saved chats all go through it.
// Ranges of sampling numbers are the engine's (engine/sampling.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/sampling.h"
#include "file/metadata.h"

namespace qn::serve {

struct Parameters {
  engine::SamplingOverrides sampling;
  std::optional<int> num_predict;  // tokens of the reply; 0 or less: until the window is full
  std::optional<int> num_ctx;      // the window, when a model is loaded
  std::vector<std::string> stop;   // empty: unset
};

using SamplingFloat = std::optional<float> engine::SamplingOverrides::*;
using SamplingInt = std::optional<int> engine::SamplingOverrides::*;
using SamplingSeed = std::optional<std::uint64_t> engine::SamplingOverrides::*;
using Count = std::optional<int> Parameters::*;
using Texts = std::vector<std::string> Parameters::*;

struct ParameterRow {
  std::string_view name;  // as in a Modelfile
  std::string_view summary;
  std::variant<SamplingFloat, SamplingInt, SamplingSeed, Count, Texts> field;
  std::string_view model_key = {};  // in the model's metadata
  int least = 0;                    // of a Count
};
std::span<const ParameterRow> parameter_rows();
const ParameterRow* find_parameter(std::string_view name);

// Sets one by name from text; `stop` is added to. A seed of -1 is no seed.
//   errors   bad_input: `unknown parameter 'x'`, `invalid float value [x]`, `invalid int value [x]`, or the range
Status set_parameter(Parameters& parameters, std::string_view name, std::string_view value);

// The values as text (stop may have several); empty where unset.
std::vector<std::string> parameter_values(const Parameters& parameters, const ParameterRow& row);

// What the model's file recommends (general.sampling.*).
//   errors   bad_input: a key of another type, or a value out of range
Result<Parameters> recommended_parameters(const file::Metadata& metadata);

// `first` where it is set, else `second`.
Parameters merge(const Parameters& first, const Parameters& second);

}  // namespace qn::serve
