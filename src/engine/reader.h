// Reader: makes of a computed step what its sequences get: tokens chosen, log probabilities, embeddings. Constraints are asked on the
// calling thread; rows are sampled on all of the runner's.
// Invariant: what a sequence gets is a function of its own rows, generation and tokens, and of nothing else in the step.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/active.h"
#include "engine/runner.h"
#include "engine/sampler.h"

namespace qn::engine {

// One sequence of a step of which something is to be read.
struct Reading {
  const sched::StepSequence* in_step;
  int first_row;  // of its tokens, in the step
  Active* active;
  std::span<const TokenId> context;  // its tokens, prompt and reply so far; drafts not

  std::vector<Sampled> chosen = {};  // what follows the context, in order
  int forced = 0;                    // of these, without asking the model
  std::vector<float> embedding = {}, scores = {};
  std::optional<Finish> finish = {};
  std::optional<Error> error = {};  // then it has ended so, and nothing above counts

  int accepted() const;  // of its drafts
  bool at_end() const;   // all its tokens are computed: something follows
};

class Reader {
 public:
  //   longest   prompt and reply together
  Reader(Runner& runner, int longest);

  //   errors   the runner's, and then nothing can be said of any of them
  Status read(std::span<Reading> readings);

 private:
  struct Unit {  // rows that are read together
    Reading* reading;
    int first, rows;         // of the reading's in_step->tokens
    std::size_t at = 0;      // in the chunk
    bool is_prompt = false;  // its one row is scored; otherwise the last tokens', from which the reply goes on
    std::span<const std::uint64_t> allowed = {};
    std::vector<TokenId> text = {};  // context and chosen, where that is not context alone
    std::optional<Sampled> choice = {};
    std::optional<Error> error = {};
  };

  Status read_hidden(std::span<Reading*> readings);
  Status read_logits(std::vector<Unit> units);
  void read_chunk(std::span<Unit> units, std::span<const float> logits);
  void read_row(Unit& unit, Sampler& sampler, std::span<const float> row);
  bool wants_choice(Unit& unit);
  void take(Reading& reading, Sampled sampled);
  void pool(Reading& reading, int position, std::span<const float> hidden);

  Runner& runner_;
  const RunnerInfo info_;
  const int longest_;
  std::vector<std::unique_ptr<Sampler>> samplers_;  // by worker, each made by the first row that comes to it
};

}  // namespace qn::engine
