#include "text/tokenizer/pair_table.h"

#include <bit>

namespace qn::text {

PairTable::PairTable(std::size_t pairs) {
  const std::size_t capacity = std::bit_ceil(pairs * 2 + 2);
  slots_.assign(capacity, Slot{empty, {}});
  mask_ = capacity - 1;
  shift_ = 64 - std::countr_zero(capacity);
}

void PairTable::set(TokenId left, TokenId right, Merge merge) {
  const std::uint64_t key = key_of(left, right);
  std::size_t slot = home(key);
  while (slots_[slot].key != empty && slots_[slot].key != key) slot = (slot + 1) & mask_;
  slots_[slot] = {key, merge};
}

}  // namespace qn::text
