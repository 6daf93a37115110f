#include "base/thread_pool.h"

#include <atomic>
#include <thread>

#include "base/check.h"
#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace qn {
namespace {

using Clock = std::chrono::steady_clock;

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Looks for `limit`, and says whether `done` came true.
template <class Done>
bool spin_until(std::chrono::microseconds limit, const Done& done) {
  if (done()) return true;
  if (limit.count() <= 0) return false;
  const auto end = Clock::now() + limit;
  for (;;) {
    for (int i = 0; i < 32; ++i) {
      relax();
      if (done()) return true;
    }
    if (Clock::now() >= end) return false;
  }
}

constexpr int parts_for_a_worker = 8;  // enough that one who comes late or is held up leaves little undone
constexpr std::size_t apart = 128;     // two cache lines: processors fetch them in pairs

// The gate says which job there is: number << 16 | workers that share it << 1 | open. Numbers do not come again.
constexpr std::uint64_t open_bit = 1;
std::uint64_t number_of(std::uint64_t gate) {
  return gate >> 16;
}
int sharers_of(std::uint64_t gate) {
  return static_cast<int>(gate >> 1 & 0x7fff);
}
static_assert(PoolOptions::most_threads <= 0x7fff && PoolOptions::most_threads * parts_for_a_worker <= 0xffff);

enum : std::uint32_t { idle, busy };

struct alignas(apart) Slot {               // of one worker
  std::atomic<std::uint32_t> state{idle};  // busy: inside a job, or about to find out that it is closed
  std::atomic<std::uint64_t> cursor{0};    // number of a job << 16 | next part of this worker's share in it
};

// Workers sleep on a bell. A sleeper says that it sleeps and then looks for work; who brings work brings it and then looks for sleepers: so
// one of them sees the other. Who has been rung for once costs nothing more, however long the system takes to wake it.
struct Bell {
  std::atomic<std::uint32_t> rung{0};
  std::atomic<bool> wanted{false};  // somebody sleeps, or is about to, for whom it has not been rung

  void ring() {
    if (!wanted.load()) return;
    wanted.store(false);
    rung.fetch_add(1);
    pass_on();
  }
  // Two are woken here, and each wakes two more: the caller has work of its own.
  void pass_on() {
    rung.notify_one();
    rung.notify_one();
  }
  template <class Done>
  void sleep(const Done& done) {
    const std::uint32_t before = rung.load();
    wanted.store(true);
    if (done()) return;
    rung.wait(before);
    pass_on();
  }
};

}  // namespace

struct ThreadPool::Shared {
  explicit Shared(const PoolOptions& given) : options(given), slots(static_cast<std::size_t>(given.threads)) {}

  PoolOptions options;
  std::vector<Slot> slots;
  std::vector<std::thread> threads;
  std::thread::id enlisted;
  int sharers = 1;  // of the next job
  Job job{};        // written before its gate opens, read by those who have entered

  alignas(apart) std::atomic<std::uint64_t> gate{0};
  alignas(apart) Bell bell;  // rung for each job: workers that share jobs sleep on it
  Bell spare_bell;           // rung when more workers are to share: the others sleep on it
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stopping{false};

  // A worker marks itself busy and then looks at the gate; the caller shuts the gate and then looks who is busy. Both in one order that
  // all agree on, so one of them sees the other: nobody enters a closed job, and nobody inside is forgotten.
  void work(int worker) {
    settle(worker);
    flush_denormals();
    Slot& slot = slots[static_cast<std::size_t>(worker)];
    std::uint64_t seen = 0;
    bool shares = false;
    for (;;) {
      const std::uint64_t now = wait_for_job(worker, seen, shares);
      if (stopping.load()) return;
      seen = number_of(now);
      shares = worker < sharers_of(now);
      if (!shares || (now & open_bit) == 0) continue;
      slot.state.store(busy);
      if (gate.load() == now) take_parts(worker, now);
      slot.state.store(idle);
      if (caller_sleeps.load()) slot.state.notify_one();
    }
  }

  // Place and priority, as far as the system grants them: who asked has been told.
  void settle(int worker) const {
    if (!options.places.empty()) (void)place_thread(options.places[static_cast<std::size_t>(worker) % options.places.size()]);
    if (options.priority != Priority::normal) (void)prioritize_thread(options.priority);
  }

  std::uint64_t wait_for_job(int worker, std::uint64_t seen, bool shares) {
    const auto there = [&] { return number_of(gate.load()) != seen; };
    for (;;) {
      if (spin_until(shares ? options.spin : std::chrono::microseconds(0), there)) return gate.load();
      (worker < sharers_of(gate.load()) ? bell : spare_bell).sleep(there);
    }
  }

  // The next part of a share, or -1. What others wrote there in earlier jobs means that it is untouched in this one.
  static int take(Slot& slot, std::uint64_t number, int begin, int end) {
    std::uint64_t now = slot.cursor.load(std::memory_order_relaxed);
    for (;;) {
      const int next = now >> 16 == number ? static_cast<int>(now & 0xffff) : begin;
      if (next >= end) return -1;
      if (slot.cursor.compare_exchange_weak(now, number << 16 | static_cast<std::uint64_t>(next + 1), std::memory_order_relaxed))
        return next;
    }
  }

  void take_parts(int worker, std::uint64_t now) {
    const int sharing = sharers_of(now);
    for (int i = 0; i < sharing; ++i) {
      const int owner = worker + i < sharing ? worker + i : worker + i - sharing;
      const int begin = owner * job.parts / sharing, end = (owner + 1) * job.parts / sharing;
      for (int part = 0; (part = take(slots[static_cast<std::size_t>(owner)], number_of(now), begin, end)) >= 0;)
        job.call(job.context, worker, part * job.part, std::min(job.count, (part + 1) * job.part));
    }
  }

  std::uint64_t open() {
    const std::uint64_t now = (number_of(gate.load()) + 1) << 16 | static_cast<std::uint64_t>(sharers) << 1 | open_bit;
    const bool more = sharers > sharers_of(gate.load());
    gate.store(now);
    bell.ring();
    if (more) spare_bell.ring();
    return now;
  }

  // Nobody enters from here on; waits for those who have.
  void close(std::uint64_t now) {
    gate.store(now & ~open_bit);
    for (int worker = 1; worker < sharers_of(now); ++worker) {
      std::atomic<std::uint32_t>& state = slots[static_cast<std::size_t>(worker)].state;
      if (spin_until(options.spin, [&] { return state.load() == idle; })) continue;
      caller_sleeps.store(true);
      state.wait(busy);
      caller_sleeps.store(false);
    }
  }
};

ThreadPool::ThreadPool(const PoolOptions& options) : shared_(std::make_unique<Shared>(options)) {
  QN_CHECK(options.threads >= 1 && options.threads <= PoolOptions::most_threads, "a pool has at least its caller");
  std::vector<int> cpus;
  for (const std::vector<int>& place : options.places) cpus.insert(cpus.end(), place.begin(), place.end());
  std::sort(cpus.begin(), cpus.end());
  const auto different = std::unique(cpus.begin(), cpus.end()) - cpus.begin();
  // Where workers outnumber CPUs, one who spins keeps another from running.
  if (options.threads > (options.places.empty() ? usable_cores() : std::min<std::ptrdiff_t>(different, usable_cores())))
    shared_->options.spin = std::chrono::microseconds(0);
  shared_->sharers = options.threads;
  for (int worker = 1; worker < options.threads; ++worker) shared_->threads.emplace_back([this, worker] { shared_->work(worker); });
}

ThreadPool::~ThreadPool() {
  shared_->stopping = true;
  shared_->open();
  shared_->spare_bell.ring();
  for (std::thread& thread : shared_->threads) thread.join();
}

int ThreadPool::size() const {
  return shared_->options.threads;
}

void ThreadPool::use(int threads) {
  QN_CHECK(threads >= 1 && threads <= size(), "a pool has so many workers");
  shared_->sharers = threads;
}

void ThreadPool::enlist() {
  if (shared_->enlisted != std::this_thread::get_id()) shared_->settle(0);
  shared_->enlisted = std::this_thread::get_id();
  if (shared_->sharers > 1) shared_->bell.ring();
}

void ThreadPool::run(Job job, int grain) {
  flush_denormals();
  const int sharers = shared_->sharers;
  job.part = std::max({grain, (job.count + sharers * parts_for_a_worker - 1) / (sharers * parts_for_a_worker), 1});
  job.parts = job.count / job.part + (job.count % job.part != 0 ? 1 : 0);
  if (sharers == 1 || job.parts <= 1) {
    if (job.count > 0) job.call(job.context, 0, 0, job.count);
    return;
  }
  shared_->job = job;
  const std::uint64_t now = shared_->open();
  shared_->take_parts(0, now);
  shared_->close(now);
}

}  // namespace qn
