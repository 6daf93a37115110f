#include "serve/batch.h"

#include <mutex>
#include <utility>

#include "engine/engine.h"

namespace qn::serve {

struct Batch::Inside {
  std::mutex mutex;
  std::vector<BatchResult> results;
  std::size_t missing = 0;
  std::optional<Error> error;
  std::function<void()> done;

  void put(std::size_t index, const engine::TokenEvent& event) {
    if (!event.finish) return;
    std::function<void()> call;
    {
      const std::lock_guard lock(mutex);
      BatchResult& result = results[index];
      result.values = event.embedding.empty() ? event.scores : event.embedding;
      result.cached_tokens = event.counts.cached_tokens;
      if (event.error && !error) error = event.error;
      if (event.finish == engine::Finish::cancelled && !error) error = Error{Code::cancelled, "the request was cancelled"};
      if (--missing == 0) call = std::exchange(done, nullptr);
    }
    if (call) call();
  }
};

Result<std::unique_ptr<Batch>> Batch::start(LoadedModel& model, std::vector<BatchPrompt> prompts, const BatchOrigin& origin,
                                            std::function<void()> done) {
  auto inside = std::make_shared<Inside>();
  inside->results.resize(prompts.size());
  inside->missing = prompts.size();
  inside->done = std::move(done);
  std::unique_ptr<Batch> batch(new Batch(model, inside));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    engine::Generation generation;
    generation.prompt = std::move(prompts[i].tokens);
    generation.pooling = prompts[i].pooling;
    generation.scored = std::move(prompts[i].scored);
    generation.tenant = origin.tenant;
    generation.salt = origin.salt;
    generation.priority = origin.priority;
    generation.sink = [inside, i](const engine::TokenEvent& event) { inside->put(i, event); };
    QN_TRY(const SequenceId id, model.engine->submit(std::move(generation)));
    batch->ids_.push_back(id);
  }
  return batch;
}

Batch::~Batch() {
  std::size_t missing;
  {
    const std::lock_guard lock(inside_->mutex);
    missing = inside_->missing;
    inside_->done = nullptr;
  }
  if (missing > 0)
    for (const SequenceId id : ids_) model_.engine->cancel(id);
}

Result<std::vector<BatchResult>> Batch::take() {
  const std::lock_guard lock(inside_->mutex);
  if (inside_->error) return tl::unexpected<Error>(*inside_->error);
  return std::move(inside_->results);
}

}  // namespace qn::serve
