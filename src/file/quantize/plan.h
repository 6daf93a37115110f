// Plan of a quantized model: which format each tensor gets, and what the files will hold. Nothing is read but headers, so a dry run is
// this much.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "file/quantize/importance.h"
#include "file/quantize/mix.h"
#include "file/rewrite.h"

namespace qn::file {

struct FormatOverride {
  std::string pattern;  // a regular expression (ECMAScript), found anywhere in the tensor's name
  const quant::Format* format;
};

struct QuantizeOptions {
  const Mix* mix = nullptr;
  bool pure = false;          // the base format for all, no rules
  bool leave_output = false;  // output.weight stays as it is
  bool requantize = false;    // tensors that have lost something already may lose more
  bool keep_split = false;    // as many files as the model was read from
  const quant::Format* output = nullptr;
  const quant::Format* token_embedding = nullptr;
  std::vector<FormatOverride> overrides;  // the first that matches counts
  std::vector<int> pruned_layers;         // left out; the others move up
  std::vector<std::pair<std::string, MetaValue>> metadata;
  const ImportanceMatrix* importance = nullptr;  // borrowed
};

// A tensor that did not get the format of the mix, because its rows are no whole number of blocks.
struct Fallback {
  std::string tensor;
  const quant::Format* wanted;
  const quant::Format* given;
};

struct QuantizePlan {
  std::vector<OutputFile> files;
  std::vector<Fallback> fallbacks;
  std::vector<std::string> unmeasured;  // tensors whose format is of no use without an importance matrix, and that have none
  std::map<std::string, std::vector<float>, std::less<>> importance;  // means; what the files' tensors point into

  std::uint64_t source_bytes() const;  // of tensor data
  std::uint64_t bytes() const;         // of tensor data
  std::uint64_t weights() const;
};

//   out      the file; where the model stays split, what the files' names begin with
//   errors   bad_input: what cannot be done with this model
Result<QuantizePlan> plan_quantize(const Checkpoint& model, const QuantizeOptions& options, const std::filesystem::path& out);

}  // namespace qn::file
