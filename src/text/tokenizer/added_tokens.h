// Added tokens found in text before anything else is done to it: the leftmost, and of those the longest.
// A match that may not count (a special token in user text, a part of a word) still uses up its text, as in Hugging Face `tokenizers`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/vocab.h"

namespace qn::text {

class AddedTokens {
 public:
  static constexpr std::size_t max_text_bytes = 1024;  // bounds the work a byte of text can cost

  void add(const AddedToken& token, std::string_view as_matched);  // as_matched: the token's text, normalised if it asks for it
  bool empty() const { return tokens_.empty(); }

  // Cuts text into tokens and what lies between: on_text(string_view), never empty, and on_token(TokenId), in order.
  template <class OnText, class OnToken>
  void split(std::string_view text, Specials specials, OnText&& on_text, OnToken&& on_token) const {
    std::size_t done = 0;
    if (!tokens_.empty()) {
      std::size_t at = 0;
      for (Found found; next(text, at, found); at = found.end) {
        std::size_t begin = found.begin, end = found.end;
        if (!counts(text, *found.token, specials, done, begin, end)) continue;
        if (begin > done) on_text(text.substr(done, begin - done));
        on_token(found.token->id);
        done = end;  // of a token made of white space that the one before had taken: less than before, as in `tokenizers`
      }
    }
    if (done < text.size()) on_text(text.substr(done));
  }

 private:
  struct Rules {
    TokenId id;
    bool special, strip_left, strip_right, single_word;
  };
  struct Found {
    std::size_t begin, end;
    const Rules* token;
  };
  struct Node {
    std::int32_t token = -1;                                        // index in tokens_ of the text that ends here
    std::vector<std::pair<unsigned char, std::uint32_t>> children;  // sorted by byte
  };

  bool next(std::string_view text, std::size_t at, Found& found) const;
  // Whether the match at [begin, end) counts; widens it by the white space that belongs to it, never to before `done`.
  static bool counts(std::string_view text, const Rules& rules, Specials specials, std::size_t done, std::size_t& begin, std::size_t& end);

  std::vector<Rules> tokens_;
  std::vector<Node> nodes_{1};  // a trie; 0 is its root
  std::array<bool, 256> starts_{};
};

}  // namespace qn::text
