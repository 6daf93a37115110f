// Tokenizer: text to token ids and back, the way the model was trained to see it. Immutable once made; shared by all threads.
//   source   byte-pair encoding, Sennrich et al. 2016 (arXiv:1508.07909); SentencePiece, Kudo and Richardson 2018
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/tokenizer/vocab.h"

namespace qn::text {

enum class Specials {
  parse,    // added tokens in the text become their ids (templates)
  as_text,  // tokens marked special are spelled out like any other text (user input); other added tokens still match
};

struct EncodeOptions {
  Specials specials = Specials::parse;
  bool add_bos = false;  // also only if the vocabulary says so
  bool add_eos = false;  // the same
};

class Tokenizer {
 public:
  //   errors   bad_input: the table and id that break the rules
  static Result<Tokenizer> make(VocabSpec spec);
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  // Linear in text.size(). Invalid UTF-8 is replaced by U+FFFD first, as Python does.
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options) const;

  int vocab_size() const;
  const VocabSpec& spec() const;                          // its merges are gone: they live in a hash table
  bool is_special(TokenId id) const;                      // a control token
  bool ends_reply(TokenId id) const;                      // one of spec().end_of_turn
  TokenId find(std::string_view added_token_text) const;  // id of an added token, -1 if none

  // The bytes a token stands for; special tokens are empty unless asked for. May be half a character: see StreamDecoder.
  std::string_view bytes_of(TokenId id) const;
  std::string_view special_text(TokenId id) const;

  // Whole sequences, invalid UTF-8 replaced by U+FFFD.
  std::string decode(std::span<const TokenId> ids, bool with_specials) const;

 private:
  struct Tables;
  explicit Tokenizer(std::unique_ptr<const Tables> tables);
  std::unique_ptr<const Tables> tables_;
};

// Ids in, text out, one at a time; never half a character. Concatenated output equals Tokenizer::decode of all ids.
class StreamDecoder {
 public:
  StreamDecoder(const Tokenizer& tokenizer, bool with_specials) : tokenizer_(&tokenizer), with_specials_(with_specials) {}
  // Of the special tokens only these are spelled out: marks that a reply is read by (text/chat).
  StreamDecoder(const Tokenizer& tokenizer, std::vector<TokenId> spelled) : tokenizer_(&tokenizer), spelled_(std::move(spelled)) {}
  std::string push(TokenId id);
  std::string finish();  // what is still held back, with U+FFFD for a character that never ended

 private:
  const Tokenizer* tokenizer_;
  bool with_specials_ = false;
  std::vector<TokenId> spelled_;
  bool first_ = true;
  std::string held_;
};

}  // namespace qn::text
