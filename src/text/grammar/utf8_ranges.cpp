#include "text/grammar/utf8_ranges.h"

#include <algorithm>

namespace qn::text::grammar {
namespace {

constexpr char32_t last_character = 0x10FFFF;

void put(std::vector<CharRange>& out, char32_t first, char32_t last) {
  if (first > last) return;
  if (!out.empty() && first <= out.back().last + 1)
    out.back().last = std::max(out.back().last, last);
  else
    out.push_back({first, last});
}

int encode(char32_t c, std::uint8_t* out) {
  if (c < 0x80) return out[0] = static_cast<std::uint8_t>(c), 1;
  const int length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  constexpr std::uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = length - 1; i > 0; --i, c >>= 6) out[i] = static_cast<std::uint8_t>(0x80 | (c & 0x3F));
  out[0] = static_cast<std::uint8_t>(lead[length] | c);
  return length;
}

// first and last have encodings of one length. Cut where a continuation byte would not run over its whole range.
void split(char32_t first, char32_t last, int length, std::vector<Utf8Sequence>& out) {
  for (int tail = 1; tail < length; ++tail) {
    const char32_t mask = (char32_t{1} << (6 * tail)) - 1;
    if ((first & ~mask) == (last & ~mask)) continue;
    if ((first & mask) != 0) {
      split(first, first | mask, length, out);
      split((first | mask) + 1, last, length, out);
      return;
    }
    if ((last & mask) != mask) {
      split(first, (last & ~mask) - 1, length, out);
      split(last & ~mask, last, length, out);
      return;
    }
  }
  std::uint8_t low[4], high[4];
  encode(first, low), encode(last, high);
  Utf8Sequence sequence{length, {}};
  for (int i = 0; i < length; ++i) sequence.bytes[static_cast<std::size_t>(i)] = {low[i], high[i]};
  out.push_back(sequence);
}

}  // namespace

std::vector<CharRange> normalized(std::span<const CharRange> ranges) {
  std::vector<CharRange> sorted(ranges.begin(), ranges.end());
  std::sort(sorted.begin(), sorted.end(), [](const CharRange& a, const CharRange& b) { return a.first < b.first; });
  std::vector<CharRange> out;
  for (const CharRange& range : sorted) {
    const char32_t last = std::min(range.last, last_character);
    put(out, range.first, std::min<char32_t>(last, 0xD7FF));
    put(out, std::max<char32_t>(range.first, 0xE000), last);
  }
  return out;
}

std::vector<CharRange> complement(std::span<const CharRange> ranges) {
  std::vector<CharRange> out;
  char32_t next = 0;
  for (const CharRange& range : normalized(ranges)) {
    if (range.first > next) out.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= last_character) out.push_back({next, last_character});
  return normalized(out);
}

std::vector<CharRange> intersection(std::span<const CharRange> a, std::span<const CharRange> b) {
  std::vector<CharRange> out;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const char32_t first = std::max(a[i].first, b[j].first), last = std::min(a[i].last, b[j].last);
    if (first <= last) out.push_back({first, last});
    a[i].last < b[j].last ? ++i : ++j;
  }
  return out;
}

std::vector<Utf8Sequence> utf8_sequences(std::span<const CharRange> ranges) {
  static constexpr CharRange lengths[] = {{0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, last_character}};
  std::vector<Utf8Sequence> out;
  for (const CharRange& range : ranges)
    for (int length = 1; length <= 4; ++length) {
      const char32_t first = std::max(range.first, lengths[length - 1].first), last = std::min(range.last, lengths[length - 1].last);
      if (first <= last) split(first, last, length, out);
    }
  return out;
}

}  // namespace qn::text::grammar
