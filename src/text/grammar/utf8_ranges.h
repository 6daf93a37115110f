// Code point ranges as sequences of byte ranges.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "text/grammar/grammar.h"

namespace qn::text::grammar {

struct Utf8Sequence {  // bytes[0..length) one after the other
  int length = 0;
  std::array<std::array<std::uint8_t, 2>, 4> bytes{};  // first, last
};

// Sorted, merged, clipped to U+10FFFF, without surrogates.
std::vector<CharRange> normalized(std::span<const CharRange> ranges);
std::vector<CharRange> complement(std::span<const CharRange> ranges);
std::vector<CharRange> intersection(std::span<const CharRange> a, std::span<const CharRange> b);

//   ranges   normalized
//   source   Unicode 15, table 3-7
std::vector<Utf8Sequence> utf8_sequences(std::span<const CharRange> ranges);

}  // namespace qn::text::grammar
