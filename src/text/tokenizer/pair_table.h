// Which two tokens merge, into what, and how early: an open-addressing hash table, filled once and then only read.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace qn::text {

struct Merge {
  static constexpr std::uint32_t never = 0xFFFFFFFF;
  std::uint32_t rank = never;  // lower merges first
  TokenId result = -1;
};

class PairTable {
 public:
  explicit PairTable(std::size_t pairs);

  void set(TokenId left, TokenId right, Merge merge);  // the last of two for the same pair stays
  Merge find(TokenId left, TokenId right) const {
    const std::uint64_t key = key_of(left, right);
    for (std::size_t slot = home(key);; slot = (slot + 1) & mask_) {
      const Slot& s = slots_[slot];
      if (s.key == key) return s.merge;
      if (s.key == empty) return {};
    }
  }

 private:
  struct Slot {
    std::uint64_t key;
    Merge merge;
  };
  static constexpr std::uint64_t empty = ~std::uint64_t{0};  // no pair: ids are not negative
  static std::uint64_t key_of(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t home(std::uint64_t key) const { return static_cast<std::size_t>(key * 0x9E3779B97F4A7C15u >> shift_); }

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t mask_;
  int shift_;
};

}  // namespace qn::text
