// A text cut into windows of equal length, each read by a model from an empty cache: what perplexity and importance are measured on.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "model/forward.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::cli {

inline constexpr std::size_t longest_text_bytes = std::size_t{1} << 30;
inline constexpr int logits_rows_a_step = 64;  // rows of logits are as long as the vocabulary: few at once

class Windows {
 public:
  struct Options {
    std::size_t tokens = 512;  // of a window
    std::int64_t skip = 0;     // windows at the beginning that are left out
    std::int64_t most = -1;    // windows, at most; -1: all
    text::Specials specials = text::Specials::as_text;
  };
  //   name     of the text, for messages
  //   errors   bad_input: not enough text for a window
  static Result<Windows> cut(const text::Tokenizer& tokenizer, std::string_view text, std::string_view name, const Options& options);
  // Tokens as they are: count windows of tokens.size() / count.
  Windows(std::vector<TokenId> tokens, std::size_t window_tokens, TokenId bos);

  std::size_t count() const { return tokens_.size() / window_tokens_; }
  std::size_t window_tokens() const { return window_tokens_; }
  std::span<const TokenId> tokens() const { return tokens_; }  // of all windows
  std::vector<TokenId> window(std::size_t index) const;        // its first token is the one that begins texts, where the model wants it

 private:
  std::vector<TokenId> tokens_;
  std::size_t window_tokens_;
  TokenId bos_;  // -1: none
};

// The token that every window begins with; -1 if none does.
TokenId window_bos(const text::Tokenizer& tokenizer);

// Reads tokens from an empty cache. row(position, logits) is called for every position from first_row on.
//   id       another one for each window
Status read_window(model::Forward& forward, std::span<const TokenId> tokens, std::size_t first_row, std::uint64_t id,
                   const std::function<void(std::size_t position, std::span<const float> logits)>& row);

// For windows of this length.
model::ForwardOptions window_options(const model::KvOptions& kv, std::size_t tokens, int rows_a_step, int logits_a_step);

}  // namespace qn::cli
