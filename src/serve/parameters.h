// Parameters: what a user may set for a reply. Everything is optional; what is unset comes from the model's file, then from a default.
// One table gives each its names, its kind and its range; flags, `/set parameter` and saved chats all go through it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "file/metadata.h"

namespace qn::serve {

struct Parameters {
  std::optional<double> temperature, top_p, min_p, typical_p, top_n_sigma;
  std::optional<double> repeat_penalty, presence_penalty, frequency_penalty;
  std::optional<double> xtc_probability, xtc_threshold;
  std::optional<double> dry_multiplier, dry_base;
  std::optional<std::int64_t> top_k, repeat_last_n, dry_allowed_length, dry_penalty_last_n;
  std::optional<std::int64_t> seed, num_predict, num_ctx;
  std::vector<std::string> stop;  // empty: unset
};

using NumberField = std::optional<double> Parameters::*;
using IntegerField = std::optional<std::int64_t> Parameters::*;
using TextsField = std::vector<std::string> Parameters::*;

struct ParameterRow {
  std::string_view name;  // as in a Modelfile
  std::string_view summary;
  std::variant<NumberField, IntegerField, TextsField> field;
  double least = 0, most = 0;       // numbers and integers
  std::string_view model_key = {};  // in the model's metadata
};
std::span<const ParameterRow> parameter_rows();
const ParameterRow* find_parameter(std::string_view name);

// Sets one by name from text. `stop` is added to, unless it is to be replaced.
//   errors   bad_input: `unknown parameter 'x'`, `invalid float value [x]`, `invalid int value [x]`, or the range
Status set_parameter(Parameters& parameters, std::string_view name, std::string_view value);

// The value as text, one line for each (stop may have several); empty where unset.
std::vector<std::string> parameter_values(const Parameters& parameters, const ParameterRow& row);

// What the model's file recommends (general.sampling.*).
//   errors   bad_input: a key of another type
Result<Parameters> recommended_parameters(const file::Metadata& metadata);

// `first` where it is set, else `second`.
Parameters merge(const Parameters& first, const Parameters& second);

}  // namespace qn::serve
