#include "text/tokenizer/token_dictionary.h"

#include <bit>
#include <cstring>
#include <limits>

namespace qn::text {
namespace {

constexpr std::uint64_t factor = 0x9E3779B97F4A7C15u;

std::uint64_t beginning_of(std::string_view text) {
  std::uint64_t word = 0;
  const char* at = text.data();
  const std::size_t bytes = text.size();
  if (bytes >= 8) {
    std::memcpy(&word, at, 8);
  } else if (bytes >= 4) {  // two reads that overlap: the same bytes in the same places
    std::uint32_t low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + bytes - 4, 4);
    word = low | std::uint64_t{high} << (8 * (bytes - 4));
  } else {
    for (std::size_t i = 0; i < bytes; ++i) word |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  }
  return word;
}

std::uint64_t hash_of(std::string_view text, std::uint64_t beginning) {
  std::uint64_t hash = (beginning ^ text.size()) * factor;
  for (std::size_t at = 8; at < text.size(); at += 8) {
    hash ^= hash >> 29;
    hash = (hash ^ beginning_of(text.substr(at))) * factor;
  }
  return (hash ^ hash >> 32) * factor;
}

}  // namespace

TokenDictionary::TokenDictionary(std::size_t tokens) : texts_(tokens) {
  const std::size_t capacity = std::bit_ceil(tokens * 2 + 2);
  slots_.assign(capacity, Slot{0, 0, -1});
  mask_ = capacity - 1;
  shift_ = 64 - std::countr_zero(capacity);
}

std::size_t TokenDictionary::slot_of(std::string_view text, std::uint64_t beginning) const {
  std::size_t slot = static_cast<std::size_t>(hash_of(text, beginning) >> shift_);
  for (;; slot = (slot + 1) & mask_) {
    const Slot& s = slots_[slot];
    if (s.bytes == 0) return slot;
    if (s.beginning != beginning || s.bytes != text.size()) continue;
    if (text.size() <= 8 || std::memcmp(texts_[static_cast<std::size_t>(s.id)].data() + 8, text.data() + 8, text.size() - 8) == 0)
      return slot;
  }
}

void TokenDictionary::set(std::string_view text, TokenId id) {
  const std::uint64_t beginning = beginning_of(text);
  slots_[slot_of(text, beginning)] = {beginning, static_cast<std::uint32_t>(text.size()), id};
  texts_[static_cast<std::size_t>(id)] = text;
}

TokenId TokenDictionary::find(std::string_view text) const {
  if (text.empty() || text.size() > std::numeric_limits<std::uint32_t>::max()) return -1;
  const Slot& s = slots_[slot_of(text, beginning_of(text))];
  return s.bytes == 0 ? -1 : s.id;
}

}  // namespace qn::text
