#include "api/batch.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "api/workers.h"
#include "engine/engine.h"

namespace qn::api {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t at_once = 128;  // prompts of one request in the engine: the queue is everybody's

class Batching : public std::enable_shared_from_this<Batching> {
 public:
  Batching(Service& service, std::shared_ptr<Exchange> exchange, BatchJob job)
      : service_(service), exchange_(std::move(exchange)), job_(std::move(job)), arrived_(steady_clock::now()) {}

  void start() {
    exchange_->when_closed([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->abandon();
    });
    with_model(service_, exchange_, job_.wish,
               [self = shared_from_this()](const std::shared_ptr<Exchange>&, const serve::Lease& lease) { self->prepare(lease); });
  }

 private:
  // On a worker.
  void prepare(const serve::Lease& lease) {
    run_.lease = lease;
    run_.load_time = steady_clock::now() - arrived_;
    Result<std::vector<serve::BatchPrompt>> prompts = job_.prompts(*lease);
    if (!prompts) return exchange_->fail(to_api_error(prompts.error()));
    const int longest = lease->engine->longest() - 1;
    for (const serve::BatchPrompt& prompt : *prompts) {
      const auto tokens = static_cast<int>(prompt.tokens.size());
      if (tokens > longest) return exchange_->fail(prompt_too_long(job_.wish.dialect, tokens, 0, longest));
      run_.prompt_tokens += tokens;
    }
    prompts_ = *std::move(prompts);
    go_on();
  }

  // On a worker: as many prompts as are run at once, or the answer.
  void go_on() {
    const std::size_t first = run_.results.size(), count = std::min(prompts_.size() - first, at_once);
    if (count == 0) return answer();
    const auto begin = std::make_move_iterator(prompts_.begin() + static_cast<std::ptrdiff_t>(first));
    std::vector<serve::BatchPrompt> some(begin, begin + static_cast<std::ptrdiff_t>(count));
    // `done` may come before start() returns. It holds this object until it has handed it on, so that the last hold never ends on a thread
    // of the engine, which could then be asked to end itself.
    const HttpRequest& asked = exchange_->request();
    Result<std::unique_ptr<serve::Batch>> batch = serve::Batch::start(
        *run_.lease, std::move(some), {.tenant = asked.tenant, .salt = asked.tenant}, [self = shared_from_this()]() mutable {
          const std::shared_ptr<Exchange> exchange = self->exchange_;
          exchange->post([self = std::move(self)] { self->collect_later(State::done); });
        });
    if (!batch) return exchange_->fail(to_api_error(batch.error()));
    collect_later(State::started, *std::move(batch));
  }

  enum class State { started, done };

  // Once both have come, in whatever order, a worker collects.
  void collect_later(State state, std::unique_ptr<serve::Batch> batch = {}) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;  // the batch ends here
      if (state == State::done) done_ = true;
      if (state == State::started) batch_ = std::move(batch);
      if (!done_ || batch_ == nullptr) return;
      done_ = false;
    }
    const bool taken = service_.workers->run([self = shared_from_this()] { self->collect(); });
    if (!taken) exchange_->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
  }

  void collect() {
    std::unique_ptr<serve::Batch> batch;
    {
      const std::lock_guard lock(mutex_);
      batch = std::move(batch_);
      if (closed_ || batch == nullptr) return;
    }
    Result<std::vector<serve::BatchResult>> results = batch->take();
    if (!results) return exchange_->fail(to_api_error(results.error()));
    std::ranges::move(*results, std::back_inserter(run_.results));
    go_on();
  }

  void answer() {
    for (const serve::BatchResult& result : run_.results) run_.cached_tokens += result.cached_tokens;
    run_.total = steady_clock::now() - arrived_;
    exchange_->set_notes({.model = run_.model(), .prompt_tokens = run_.prompt_tokens, .cached_tokens = run_.cached_tokens});
    job_.answer(*exchange_, run_);
  }

  // The client left.
  void abandon() {
    std::unique_ptr<serve::Batch> batch;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    batch = std::move(batch_);
  }

  Service& service_;
  const std::shared_ptr<Exchange> exchange_;
  BatchJob job_;
  BatchRun run_;
  std::vector<serve::BatchPrompt> prompts_;  // [0, run_.results.size()) are done
  const steady_clock::time_point arrived_;

  std::mutex mutex_;                     // guards what follows
  std::unique_ptr<serve::Batch> batch_;  // goes before the lease in run_
  bool done_ = false, closed_ = false;
};

}  // namespace

void run_batch(Service& service, const std::shared_ptr<Exchange>& exchange, BatchJob job) {
  std::make_shared<Batching>(service, exchange, std::move(job))->start();
}

}  // namespace qn::api
