// GPT-2:  's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
#include "text/tokenizer/char_scan.h"

namespace qn::text {

Match scan_gpt2(const CharTable& chars, std::string_view text, std::size_t at) {
  const Look first = look(chars, text, at);
  if (first.value == '\'') {
    if (const std::size_t bytes = contraction_bytes(text, at, Case::exact)) return {at, at + bytes};
  }
  const std::size_t begin = first.value == ' ' ? at + 1 : at;
  const Look c = begin == at ? first : look(chars, text, begin);
  if (c.is_letter()) return {at, run_end(chars, text, begin, [](const Look& l) { return l.is_letter(); })};
  if (c.is_number()) return {at, run_end(chars, text, begin, [](const Look& l) { return l.is_number(); })};
  if (c.is_else()) return {at, run_end(chars, text, begin, [](const Look& l) { return l.is_else(); })};
  return {at, spaces_end(chars, text, at)};
}

}  // namespace qn::text
