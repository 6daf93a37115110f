// From a token's text to its id. Up to eight bytes a slot decides alone, so that a common word costs one access to memory.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace qn::text {

class TokenDictionary {
 public:
  explicit TokenDictionary(std::size_t tokens);

  // text must outlive the dictionary and not be empty; the last of two equal ones stays.
  void set(std::string_view text, TokenId id);
  TokenId find(std::string_view text) const;  // -1 if none

 private:
  struct Slot {
    std::uint64_t beginning;  // the first eight bytes, zeros behind a shorter text
    std::uint32_t bytes;      // 0: empty slot
    TokenId id;
  };
  std::size_t slot_of(std::string_view text, std::uint64_t beginning) const;

  std::vector<Slot> slots_;              // a power of two, at most half full
  std::vector<std::string_view> texts_;  // by id
  std::size_t mask_;
  int shift_;
};

}  // namespace qn::text
