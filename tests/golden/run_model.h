// Runs one sequence through a model, the way tests want it: any backend, any cutting of the prompt.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "model/forward.h"

namespace qn::golden {

struct RunOptions {
  const char* keys = "F32";
  const char* values = "F32";
  int page_tokens = 16;
  int tokens = 256;  // room in the cache
};

class SequenceRun {
 public:
  SequenceRun(std::shared_ptr<const file::Checkpoint> checkpoint, model::Placement placement, const RunOptions& options = {});

  // Feeds ids in chunks; logits of every row, [ids.size(), V].
  std::vector<float> feed(std::span<const TokenId> ids, int chunk);
  // Feeds the prompt, then the best id again and again; the ids chosen.
  std::vector<TokenId> greedy(std::span<const TokenId> prompt, int count, int chunk);

  int vocab() const { return forward_->model().sizes().vocab; }

 private:
  std::unique_ptr<model::Forward> forward_;
  std::vector<PageId> pages_;
  int done_ = 0;
};

}  // namespace qn::golden
