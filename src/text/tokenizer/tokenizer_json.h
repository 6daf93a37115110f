// tokenizer.json, the file of Hugging Face `tokenizers`, read into a VocabSpec.
#pragma once

#include <string_view>

#include "base/result.h"
#include "text/tokenizer/vocab.h"

namespace qn::text {

//   config   the text of tokenizer_config.json, or empty
//   errors   bad_input: the JSON path and what was found; unsupported: the model or pre-tokenizer kind by name
Result<VocabSpec> read_tokenizer_json(std::string_view tokenizer, std::string_view config);

}  // namespace qn::text
