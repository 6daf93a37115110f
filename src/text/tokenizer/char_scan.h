// Looking along a text, character by character, for the hand-written split patterns.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/tokenizer/pre_split.h"
#include "text/tokenizer/unicode.h"

namespace qn::text {

// One character, or the end of the text, which belongs to no class.
struct Look {
  char32_t value;
  CharInfo info;
  std::uint32_t bytes;  // 0 at the end

  bool at_end() const { return bytes == 0; }
  bool is(CharClass c) const { return bytes != 0 && info.char_class() == c; }
  bool is_letter() const { return is(CharClass::letter); }
  bool is_number() const { return is(CharClass::number); }
  bool is_space() const { return is(CharClass::space); }
  bool is_newline() const { return bytes != 0 && (value == '\r' || value == '\n'); }
  // [^\s\p{L}\p{N}]
  bool is_else() const { return bytes != 0 && !is_letter() && !is_number() && !is_space(); }
};

inline Look look(const CharTable& chars, std::string_view text, std::size_t at) {
  if (at >= text.size()) return {0, {0}, 0};
  const CodePoint c = front(text.data() + at);
  return {c.value, chars[c.value], c.bytes};
}

// The end of the run of characters from `at` on for which keep(Look) holds.
template <class Keep>
std::size_t run_end(const CharTable& chars, std::string_view text, std::size_t at, Keep keep) {
  for (;;) {
    const Look c = look(chars, text, at);
    if (c.at_end() || !keep(c)) return at;
    at += c.bytes;
  }
}

// The same, for at most `count` characters.
template <class Keep>
std::size_t run_end(const CharTable& chars, std::string_view text, std::size_t at, int count, Keep keep) {
  for (; count > 0; --count) {
    const Look c = look(chars, text, at);
    if (c.at_end() || !keep(c)) break;
    at += c.bytes;
  }
  return at;
}

// "'s|'t|'re|'ve|'m|'ll|'d" behind an apostrophe at `at`: bytes of the match with the apostrophe, 0 for none.
// Folded, an s may also be the long s, as Unicode's case folding has it.
enum class Case { exact, folded };
std::size_t contraction_bytes(std::string_view text, std::size_t at, Case letter_case);

// "\s+(?!\S)|\s+" at white space: all of it at the end of the text, else all but its last character, or that character alone.
std::size_t spaces_end(const CharTable& chars, std::string_view text, std::size_t at);

// "\s*[\r\n]+|\s+(?!\S)|\s+" at white space: up to its last line break where it has one.
std::size_t lines_or_spaces_end(const CharTable& chars, std::string_view text, std::size_t at);

// A stage that matches single runs: the first place at or behind `at` where matches_at(place) gives an end.
template <class MatchesAt>
Match find_first(const CharTable& chars, std::string_view text, std::size_t at, MatchesAt matches_at) {
  while (at < text.size()) {
    if (const std::size_t end = matches_at(at); end != at) return {at, end};
    at += look(chars, text, at).bytes;
  }
  return {text.size(), text.size()};
}

}  // namespace qn::text
