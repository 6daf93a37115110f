// Constraint: which tokens a reply may go on with. What it stands for (a grammar, a schema, the end of a thought) is known above; here
// there are token ids only.
// Invariant: one object belongs to one sequence, and only the engine's thread calls it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"

namespace qn::engine {

class Constraint {
 public:
  virtual ~Constraint() = default;

  // Bit t % 64 of word t / 64 is set if token t may come next; a token beyond the last word may not. Empty: any token may.
  // Valid until the next call of advance().
  virtual std::span<const std::uint64_t> allowed() = 0;

  // `token` was chosen, and was allowed or forced. Not called for the stop token that ends a reply.
  virtual void advance(TokenId token) = 0;

  // Tokens that must come next, without asking the model; empty where the model has a say. A function of what was advanced so far.
  virtual std::vector<TokenId> forced() = 0;
};

}  // namespace qn::engine
