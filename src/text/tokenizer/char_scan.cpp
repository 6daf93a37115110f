#include "text/tokenizer/char_scan.h"

namespace qn::text {

std::size_t contraction_bytes(std::string_view text, std::size_t at, Case letter_case) {
  const auto letter = [&](std::size_t i) -> char {
    if (at + i >= text.size()) return 0;
    const char c = text[at + i];
    return letter_case == Case::folded && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const char first = letter(1), second = letter(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return 3;
  if (letter_case == Case::folded && text.substr(at + 1, 2) == "\u017F") return 3;
  return 0;
}

std::size_t spaces_end(const CharTable& chars, std::string_view text, std::size_t at) {
  std::size_t last = at, end = at;
  for (Look c = look(chars, text, at); c.is_space(); c = look(chars, text, end)) {
    last = end;
    end += c.bytes;
  }
  return end == text.size() || last == at ? end : last;
}

std::size_t lines_or_spaces_end(const CharTable& chars, std::string_view text, std::size_t at) {
  std::size_t last = at, end = at, line_end = at;
  for (Look c = look(chars, text, at); c.is_space(); c = look(chars, text, end)) {
    last = end;
    end += c.bytes;
    if (c.is_newline()) line_end = end;
  }
  if (line_end != at) return line_end;
  return end == text.size() || last == at ? end : last;
}

}  // namespace qn::text
