// Byte-pair encoding of one piece: of all neighbours that may merge, the pair of lowest rank goes first, the leftmost among equals.
// A piece of n symbols costs O(n log n). A piece that is a token by itself is usually what its merges end in; that is found out once a
// token and remembered, so most words are one look in the dictionary.
//   source   Sennrich et al. 2016 (arXiv:1508.07909)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "text/tokenizer/pair_table.h"
#include "text/tokenizer/token_dictionary.h"

namespace qn::text {

// How a piece becomes the symbols that merging starts from.
class FirstSymbols {
 public:
  virtual ~FirstSymbols() = default;
  virtual void append(std::string_view piece, std::vector<TokenId>& symbols) const = 0;
};

// One symbol a byte; bytes that have no token are left out.
class ByteSymbols : public FirstSymbols {
 public:
  ByteSymbols() { ids_.fill(-1); }
  void set(unsigned char byte, TokenId id) { ids_[byte] = id; }
  void append(std::string_view piece, std::vector<TokenId>& symbols) const override;

 private:
  std::array<TokenId, 256> ids_;
};

// One symbol a character; a character without a token becomes its bytes, or the unknown token, one for a run of them.
class CharacterSymbols : public FirstSymbols {
 public:
  CharacterSymbols(const TokenDictionary& dictionary, TokenId unknown);
  void set(unsigned char byte, TokenId id) { byte_ids_[byte] = id; }
  void append(std::string_view piece, std::vector<TokenId>& symbols) const override;

  bool fuse_unknown = true;

 private:
  const TokenDictionary& dictionary_;
  std::array<TokenId, 256> byte_ids_;  // of <0x00> to <0xFF>, -1 where there is none
  TokenId unknown_;
};

class Bpe {
 public:
  // What one call of encode needs and the next can use again.
  struct Scratch {
    struct Node {
      TokenId id;
      std::uint32_t previous, next;
      Merge with_next;
    };
    std::vector<TokenId> symbols;
    std::vector<Node> nodes;
    std::vector<std::uint64_t> heap;
  };

  // Borrows all three. take_whole: a piece that is a token is that token, whatever its merges say (Llama 3).
  Bpe(const PairTable& pairs, const TokenDictionary& dictionary, const FirstSymbols& first_symbols, std::size_t tokens, bool take_whole);

  void encode(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const;

 private:
  enum Whole : std::uint8_t { not_known, merges_to_itself, merges_to_parts };

  void merge_short(std::span<TokenId> symbols, std::vector<TokenId>& out) const;
  void merge_long(std::span<const TokenId> symbols, Scratch& scratch, std::vector<TokenId>& out) const;

  const PairTable& pairs_;
  const TokenDictionary& dictionary_;
  const FirstSymbols& first_symbols_;
  bool take_whole_;
  mutable std::vector<std::atomic<std::uint8_t>> whole_;  // by id; threads may race to write the same fact
};

}  // namespace qn::text
