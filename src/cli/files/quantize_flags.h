// The flags of `quern quantize` as plain values: words into names, "KEY=TYPE:VALUE" into metadata, "NAME=TYPE" into overrides.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "file/quantize/plan.h"

namespace qn::cli {

struct QuantizeWords {  // IN [OUT] TYPE [THREADS]
  std::string in;
  std::optional<std::string> out;
  const file::Mix* mix = nullptr;
  std::optional<int> threads;
};
//   errors   bad_input: what is missing or unknown
Result<QuantizeWords> read_quantize_words(std::span<const std::string> words);

// "q8_0"
Result<const quant::Format*> read_format(std::string_view flag, std::string_view name);
// "attn_v=q8_0"; the name is a regular expression
Result<file::FormatOverride> read_override(std::string_view text);
// A file of such, separated by blanks or lines.
Result<std::vector<file::FormatOverride>> read_override_file(const std::string& path);
// "general.name=str:My model", and int, float, bool
Result<std::pair<std::string, file::MetaValue>> read_metadata_change(std::string_view text);
// "0,5,6"
Result<std::vector<int>> read_layers(std::string_view text);

}  // namespace qn::cli
