// What the split patterns and NFC need to know of a character, one byte each in a two-stage table.
// Classes follow Unicode 16.0, as the regular expressions of Hugging Face `tokenizers` do: utf8proc's own, older table plus the
// characters assigned since. Combining classes stop at Unicode 9.0, because its NFC does. Ids depend on both.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace qn::text {

enum class CharClass : std::uint8_t { other, letter, number, mark, punctuation, symbol, space };  // \p{L} \p{N} \p{M} \p{P} \p{S} \s

// One character's entry: its class in the low three bits, and facts of their own above.
struct CharInfo {
  std::uint8_t bits;
  static constexpr std::uint8_t class_mask = 0x07;
  static constexpr std::uint8_t word = 0x08;             // \w
  static constexpr std::uint8_t not_inert = 0x10;        // NFC may change it, or it may change under a neighbour
  static constexpr std::uint8_t deepseek_letter = 0x20;  // in the letter class that DeepSeek LLM's pattern spells out
  CharClass char_class() const { return static_cast<CharClass>(bits & class_mask); }
  bool is(std::uint8_t fact) const { return (bits & fact) != 0; }
};

class CharTable {
 public:
  static const CharTable& get();                                                                   // made on first use, a few milliseconds
  CharInfo operator[](char32_t c) const { return {blocks_[index_[c >> 8] * 256u + (c & 0xFF)]}; }  // c <= U+10FFFF

 private:
  CharTable();
  std::array<std::uint16_t, 0x1100> index_;
  std::vector<std::uint8_t> blocks_;  // [blocks, 256]
};

struct CodePoint {
  char32_t value;
  std::uint32_t bytes;
};

// The character at the front of valid, non-empty UTF-8.
inline CodePoint front(const char* at) {
  const auto byte = [at](int i) { return static_cast<unsigned char>(at[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1Fu) << 6 | (byte(1) & 0x3Fu), 2};
  if (lead < 0xF0) return {(lead & 0x0Fu) << 12 | (byte(1) & 0x3Fu) << 6 | (byte(2) & 0x3Fu), 3};
  return {(lead & 0x07u) << 18 | (byte(1) & 0x3Fu) << 12 | (byte(2) & 0x3Fu) << 6 | (byte(3) & 0x3Fu), 4};
}

struct CharRange {
  char32_t first, last;
};
std::span<const CharRange> deepseek_letter_ranges();  // what CharInfo::deepseek_letter is made from

// The raw facts that NFC is made of.
int combining_class(char32_t c);
bool excluded_from_composition(char32_t c);
// The full canonical decomposition, at most four characters; c itself where it has none. Returns how many.
int decompose(char32_t c, std::array<char32_t, 4>& out);

}  // namespace qn::text
