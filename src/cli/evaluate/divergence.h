// Divergence: how far what a model says is from what another said, token by token, and both from the text.
//   source   llama.cpp tools/perplexity, --kl-divergence: the same figures under the same names
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"

namespace qn::cli {

class Divergence {
 public:
  //   logits   of the model that is measured
  //   base     log p of the other
  //   token    the one that came next
  void add(std::span<const float> logits, std::span<const float> base, TokenId token);

  std::size_t count() const { return divergences_.size(); }
  double mean() const;      // KL divergence, nats a token
  double same_top() const;  // share of tokens where both find the same one most likely
  std::string report() const;

 private:
  std::vector<double> divergences_, probability_changes_;  // of each token
  std::vector<double> surprises_, base_surprises_;         // -log p of the token that came
  std::size_t same_top_ = 0;
};

}  // namespace qn::cli
