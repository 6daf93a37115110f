// Qwen2:    (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
// Llama 3:  the same with \p{N}{1,3}
#include "text/tokenizer/char_scan.h"

namespace qn::text {
namespace {

inline Match scan(const CharTable& chars, std::string_view text, std::size_t at, int digits) {
  const Look first = look(chars, text, at);
  const auto letters = [](const Look& c) { return c.is_letter(); };
  if (first.is_letter()) return {at, run_end(chars, text, at + first.bytes, letters)};
  if (first.is_number()) return {at, run_end(chars, text, at, digits, [](const Look& c) { return c.is_number(); })};
  if (first.value == '\'') {
    if (const std::size_t bytes = contraction_bytes(text, at, Case::folded)) return {at, at + bytes};
  }
  const std::size_t behind = at + first.bytes;
  const Look second = look(chars, text, behind);
  if (second.is_letter() && !first.is_newline()) return {at, run_end(chars, text, behind + second.bytes, letters)};
  if (first.is_else() || (first.value == ' ' && second.is_else())) {
    const std::size_t end = run_end(chars, text, behind, [](const Look& c) { return c.is_else(); });
    return {at, run_end(chars, text, end, [](const Look& c) { return c.is_newline(); })};
  }
  return {at, lines_or_spaces_end(chars, text, at)};
}

}  // namespace

Match scan_qwen2(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan(chars, text, at, 1);
}
Match scan_llama3(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan(chars, text, at, 3);
}

}  // namespace qn::text
