// GPT-2's byte alphabet: every byte has a printable character of its own, so that a vocabulary of bytes can be a text file.
//   source   `bytes_to_unicode` of the GPT-2 release: printable Latin-1 stands for itself, the other 68 bytes follow at U+0100
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qn::text {

char32_t letter_of_byte(unsigned char byte);

// The bytes that a token's letters stand for; nothing where some character is no letter of the alphabet.
std::optional<std::string> bytes_of_letters(std::string_view token);

std::string letters_of_bytes(std::string_view bytes);

}  // namespace qn::text
