// Filling in the middle: prompts that end where a model writes what lies between two texts. The marks are tokens of their own.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "file/metadata.h"
#include "serve/reply_request.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::serve {

struct FillMarks {  // negative: the vocabulary has none
  TokenId prefix = -1, suffix = -1, middle = -1;
  TokenId repository = -1, file = -1;  // before the names of a repository and of each of its files

  bool complete() const { return prefix >= 0 && suffix >= 0 && middle >= 0; }
};
// By the keys tokenizer.ggml.fim_*_token_id, else by the texts that families have given these tokens.
FillMarks find_fill_marks(const file::Metadata& metadata, const text::Tokenizer& tokenizer);

//   errors   unsupported: the marks that are missing, in llama-server's words
Result<std::vector<TokenId>> fill_in_tokens(const FillIn& asked, const FillMarks& marks, const text::Tokenizer& tokenizer);

}  // namespace qn::serve
