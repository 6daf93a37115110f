#include "engine/drafts.h"

#include <algorithm>

namespace qn::engine {

std::vector<TokenId> look_up_drafts(std::span<const TokenId> context, int count) {
  constexpr std::size_t shortest = 2, longest = 4;
  const std::size_t size = context.size();
  if (count <= 0 || size <= shortest) return {};
  // context: [at - length, at) equals the last `length` tokens; context[at] followed
  std::size_t best = 0, best_length = shortest - 1;
  for (std::size_t at = size - 1; at >= shortest && best_length < longest; --at) {
    if (context[at - 1] != context[size - 1]) continue;
    const std::size_t most = std::min(longest, at);
    std::size_t length = 1;
    while (length < most && context[at - 1 - length] == context[size - 1 - length]) ++length;
    if (length <= best_length) continue;
    best_length = length;
    best = at;
  }
  std::vector<TokenId> drafts;
  if (best == 0) return drafts;
  // Where what followed reaches the end, it goes on with the guesses themselves: a text that repeats itself goes on doing so.
  for (std::size_t i = best; drafts.size() < static_cast<std::size_t>(count); ++i) {
    drafts.push_back(i < size ? context[i] : drafts[i - size]);
  }
  return drafts;
}

}  // namespace qn::engine
