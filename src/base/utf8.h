// UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qn::utf8 {

struct Decoded {
  char32_t code_point;  // U+FFFD where invalid
  int bytes;            // consumed, at least 1; an invalid run counts as its maximal subpart (Unicode 15, section 3.9)
  bool valid;
};

Decoded decode(std::string_view text);  // text is not empty

void append(std::string& out, char32_t code_point);

// Length of the longest prefix that does not end in the middle of a character that more bytes could complete.
std::size_t complete_prefix(std::string_view text);

bool is_valid(std::string_view text);

// Every invalid maximal subpart becomes U+FFFD, as Python's errors="replace" does.
std::string replace_invalid(std::string_view text);

}  // namespace qn::utf8
