// The numbers that travel between layers, each a type of its own where mixing them up would compile.
#pragma once

#include <compare>
#include <cstdint>

namespace qn {

using TokenId = std::int32_t;  // index into a vocabulary, in [0, V); negative means none

struct PageId {  // the same page in every layer's pool
  std::uint32_t value;
  auto operator<=>(const PageId&) const = default;
};

struct SequenceId {  // unique for the life of an engine
  std::uint64_t value;
  auto operator<=>(const SequenceId&) const = default;
};

}  // namespace qn
