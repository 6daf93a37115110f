// DeepSeek LLM, six stages: [\r\n], \s?[cased letters]+, \s?[!-/:-~！-／：-～‘-‟　-。]+, \s+$, [一-龥ࠀ-一가-퟿]+, each
// \p{N}. DeepSeek Coder, five: [\r\n], \s?\p{L}+, \s?\p{P}+, [一-龥ࠀ-一가-퟿]+, each \p{N}. DeepSeek V3 and R1, three: \p{N}{1,3},
// [一-龥぀-ゟ゠-ヿ]+, and then
//   [!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
#include "text/tokenizer/char_scan.h"

namespace qn::text {
namespace {

bool in(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

// \s?[set]+
template <class InSet>
Match scan_set_after_space(const CharTable& chars, std::string_view text, std::size_t at, InSet in_set) {
  return find_first(chars, text, at, [&](std::size_t place) {
    const Look first = look(chars, text, place);
    if (in_set(first)) return run_end(chars, text, place, in_set);  // a space may itself be in the set
    if (!first.is_space()) return place;
    const std::size_t behind = place + first.bytes;
    const std::size_t end = run_end(chars, text, behind, in_set);
    return end == behind ? place : end;
  });
}

template <class InSet>
Match scan_set(const CharTable& chars, std::string_view text, std::size_t at, InSet in_set) {
  return find_first(chars, text, at, [&](std::size_t place) { return run_end(chars, text, place, in_set); });
}

bool is_ascii_letter(char32_t c) {
  return in(c, 'A', 'Z') || in(c, 'a', 'z');
}
bool is_ascii_punctuation(char32_t c) {
  return in(c, '!', '/') || in(c, ':', '@') || in(c, '[', '`') || in(c, '{', '~');
}
bool is_letter_or_mark(const Look& c) {
  return c.is_letter() || c.is(CharClass::mark);
}
bool is_sign(const Look& c) {
  return c.is(CharClass::punctuation) || c.is(CharClass::symbol);
}

// The end of the third pattern's match at `at`; at itself where there is none.
std::size_t v3_match_end(const CharTable& chars, std::string_view text, std::size_t at) {
  const Look first = look(chars, text, at);
  const std::size_t behind = at + first.bytes;
  if (is_ascii_punctuation(first.value)) {
    const std::size_t end = run_end(chars, text, behind, [](const Look& c) { return is_ascii_letter(c.value); });
    if (end != behind) return end;
  }
  if (is_letter_or_mark(first)) return run_end(chars, text, behind, is_letter_or_mark);
  if (!first.is_newline() && !is_sign(first)) {
    const std::size_t end = run_end(chars, text, behind, is_letter_or_mark);
    if (end != behind) return end;
  }
  if (is_sign(first) || (first.value == ' ' && is_sign(look(chars, text, behind)))) {
    const std::size_t end = run_end(chars, text, behind, is_sign);
    return run_end(chars, text, end, [](const Look& c) { return c.is_newline(); });
  }
  return first.is_space() ? lines_or_spaces_end(chars, text, at) : at;
}

}  // namespace

Match scan_newline(const CharTable&, std::string_view text, std::size_t at) {
  const std::size_t place = text.find_first_of("\r\n", at);
  if (place == std::string_view::npos) return {text.size(), text.size()};
  return {place, place + 1};
}

Match scan_deepseek_letters(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan_set_after_space(chars, text, at, [](const Look& c) { return c.info.is(CharInfo::deepseek_letter); });
}

Match scan_deepseek_punctuation(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan_set_after_space(chars, text, at, [](const Look& c) {
    return in(c.value, '!', '/') || in(c.value, ':', '~') || in(c.value, 0xFF01, 0xFF0F) || in(c.value, 0xFF1A, 0xFF5E) ||
           in(c.value, 0x2018, 0x201F) || in(c.value, 0x3000, 0x3002);
  });
}

Match scan_letters_after_space(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan_set_after_space(chars, text, at, [](const Look& c) { return c.is_letter(); });
}

Match scan_punctuation_after_space(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan_set_after_space(chars, text, at, [](const Look& c) { return c.is(CharClass::punctuation); });
}

// \s+$ where lines have been cut off before: the white space at the end of the piece.
Match scan_trailing_space(const CharTable& chars, std::string_view text, std::size_t at) {
  std::size_t begin = text.size();
  for (std::size_t place = at; place < text.size();) {
    const Look c = look(chars, text, place);
    if (!c.is_space()) begin = text.size();
    if (c.is_space() && begin == text.size()) begin = place;
    place += c.bytes;
  }
  return {begin, text.size()};
}

Match scan_deepseek_cjk(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan_set(chars, text, at,
                  [](const Look& c) { return in(c.value, 0x4E00, 0x9FA5) || in(c.value, 0x0800, 0x4E00) || in(c.value, 0xAC00, 0xD7FF); });
}

Match scan_digit(const CharTable& chars, std::string_view text, std::size_t at) {
  return find_first(chars, text, at,
                    [&](std::size_t place) { return run_end(chars, text, place, 1, [](const Look& c) { return c.is_number(); }); });
}

Match scan_three_digits(const CharTable& chars, std::string_view text, std::size_t at) {
  return find_first(chars, text, at,
                    [&](std::size_t place) { return run_end(chars, text, place, 3, [](const Look& c) { return c.is_number(); }); });
}

Match scan_han_and_kana(const CharTable& chars, std::string_view text, std::size_t at) {
  return scan_set(chars, text, at, [](const Look& c) { return in(c.value, 0x4E00, 0x9FA5) || in(c.value, 0x3040, 0x30FF); });
}

Match scan_deepseek_v3(const CharTable& chars, std::string_view text, std::size_t at) {
  return find_first(chars, text, at, [&](std::size_t place) { return v3_match_end(chars, text, place); });
}

}  // namespace qn::text
