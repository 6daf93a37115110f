#include "text/tokenizer/byte_alphabet.h"

#include <array>

#include "base/utf8.h"

namespace qn::text {
namespace {

constexpr bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

struct Alphabet {
  std::array<char32_t, 256> letter{};
  std::array<int, 0x144> byte{};  // -1: no letter of the alphabet
};

constexpr Alphabet make_alphabet() {
  Alphabet a;
  for (int& b : a.byte) b = -1;
  char32_t next = 0x100;
  for (int b = 0; b < 256; ++b) {
    const char32_t letter = stands_for_itself(b) ? static_cast<char32_t>(b) : next++;
    a.letter[static_cast<std::size_t>(b)] = letter;
    a.byte[letter] = b;
  }
  return a;
}

constexpr Alphabet alphabet = make_alphabet();

}  // namespace

char32_t letter_of_byte(unsigned char byte) {
  return alphabet.letter[byte];
}

std::optional<std::string> bytes_of_letters(std::string_view token) {
  std::string out;
  while (!token.empty()) {
    const utf8::Decoded c = utf8::decode(token);
    if (!c.valid || c.code_point >= alphabet.byte.size() || alphabet.byte[c.code_point] < 0) return std::nullopt;
    out += static_cast<char>(alphabet.byte[c.code_point]);
    token.remove_prefix(static_cast<std::size_t>(c.bytes));
  }
  return out;
}

std::string letters_of_bytes(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) utf8::append(out, letter_of_byte(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace qn::text
