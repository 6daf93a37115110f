// VocabSpec: a vocabulary as files describe it, before it is made fast. Read from GGUF metadata (file/gguf_vocab) or from a
// tokenizer.json (tokenizer_json.h); Tokenizer::make checks it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace qn::text {

enum class VocabKind {
  byte_level_bpe,     // GPT-2 byte alphabet; merges in rank order
  sentencepiece_bpe,  // scores, "▁" for a space, <0xXX> byte fallback
};

// What a token is, in GGUF's numbering (tokenizer.ggml.token_type).
enum class TokenType { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// How text is cut before merging: by a family's regular expressions, or by those in VocabSpec::patterns.
enum class PreSplit { none, gpt2, qwen2, llama3, deepseek_llm, deepseek_coder, deepseek_v3, patterns };

// Where add_space_prefix puts its "▁": before every stretch of text between added tokens, before those that do not begin with one,
// or before such a one at the very beginning only.
enum class SpacePrefix { always, unless_there, unless_there_at_start };

struct AddedToken {
  TokenId id;
  std::string text;
  bool special = false;     // shown to users only on request; in user text, matched only where specials are parsed
  bool strip_left = false;  // white space before it belongs to it
  bool strip_right = false;
  bool single_word = false;  // only between non-word characters
  bool normalized = false;
};

struct VocabSpec {
  VocabKind kind = VocabKind::byte_level_bpe;
  PreSplit pre_split = PreSplit::gpt2;
  std::vector<std::string> patterns;  // PreSplit::patterns only: each cuts the pieces of the one before
  std::vector<std::string> tokens;    // by id: byte-level alphabet or SentencePiece text, as in the file; added tokens as plain text
  std::vector<TokenType> types;       // by id
  std::vector<float> scores;          // by id; sentencepiece_bpe without merges: any two tokens merge whose texts make a third
  std::vector<std::pair<std::string, std::string>> merges;  // in rank order; sentencepiece_bpe may have scores instead
  std::vector<AddedToken> added;
  TokenId bos = -1, eos = -1, unknown = -1, padding = -1;
  std::vector<TokenId> end_of_turn;  // every id that ends a reply: eos, <|im_end|>, <|eot_id|>, …
  bool add_bos = false, add_eos = false;
  bool add_space_prefix = true;                    // sentencepiece_bpe
  SpacePrefix space_prefix = SpacePrefix::always;  // where, if at all
  bool split_at_spaces = false;                    // sentencepiece_bpe: every "▁" begins a piece (Metaspace with "split")
  bool fuse_unknown = true;                        // sentencepiece_bpe: a run of unknown characters is one unknown token
  bool nfc = false;                                // normalise text to NFC first (Qwen's tokenizer.json)
  bool ignore_merges = false;                      // a piece that is a token as a whole is taken as such (Llama 3)
};

}  // namespace qn::text
