// HostCore: what a ModelHost shares with its thread, its leases and its tickets. model_host.cpp is the callers' side; host_core.cpp is the
// thread's, which alone loads and unloads, one model at a time.
// Invariant: a model with a lease is in `instances` and stays there; nothing waits while the mutex is held.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "serve/load_plan.h"
#include "serve/model_host.h"
#include "serve/waiter.h"

namespace qn::serve {

using std::chrono::nanoseconds;

// A model on its way into memory, in memory, or on its way out.
//   queued → loading → ready → gone; `retired` says that nobody new gets it
struct Instance {
  enum class State { queued, loading, ready };
  std::shared_ptr<const ServedModel> served;
  State state = State::queued;
  bool retired = false;
  std::unique_ptr<LoadedModel> model;  // while ready
  std::uint64_t bytes = 0;             // its plan's
  int leases = 0;
  KeepAlive keep_alive{};
  nanoseconds idle_since{};
  std::uint64_t last_use = 0;
  std::vector<std::shared_ptr<Waiter>> waiters = {};

  bool idle() const { return state == State::ready && leases == 0; }
  bool kept_for_ever() const { return keep_alive < nanoseconds(0); }
  bool wanted() const {
    return std::any_of(waiters.begin(), waiters.end(), [](const auto& waiter) { return waiter->waits(); });
  }
};
using InstancePtr = std::shared_ptr<Instance>;

enum class Files { same, replaced, altered };

// Whether the model's files are what they were. One that was deleted is the same as long as we have it open.
Files look_at_files(const Instance& instance);

inline tl::unexpected<Error> shutting_down() {
  return fail(Code::overloaded, "server: it is shutting down; try another one");
}

struct ModelHost::Core : std::enable_shared_from_this<ModelHost::Core> {
  struct Offer {
    std::shared_ptr<const ServedModel> served;
    InstancePtr current;  // what new requests get, or wait for; null: nothing yet
  };
  struct Hold {  // what the copies of a lease share
    std::shared_ptr<Core> core;
    InstancePtr instance;
    Hold(std::shared_ptr<Core> of, InstancePtr held) : core(std::move(of)), instance(std::move(held)) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { core->release(*instance); }
  };

  explicit Core(const HostOptions& given) : options(given), clock(given.clock != nullptr ? *given.clock : steady) {
    QN_CHECK(options.device != nullptr, "a host has a device");
  }

  Offer* find(std::string_view name);
  Lease lease(const InstancePtr& instance);
  void release(Instance& instance);
  void retire(Instance& instance);
  void unload(std::unique_lock<std::mutex>& lock, const InstancePtr& instance);

  // The host's thread.
  void work();
  bool unload_one_due(std::unique_lock<std::mutex>& lock);
  void look_at_files_in_use();
  std::optional<nanoseconds> next_deadline() const;
  void load_next(std::unique_lock<std::mutex>& lock, const InstancePtr& instance);
  Result<std::unique_ptr<LoadedModel>> load(std::unique_lock<std::mutex>& lock, Instance& instance);
  Result<std::uint64_t> make_room(std::unique_lock<std::mutex>& lock, const Instance& instance, std::uint64_t wanted);
  std::uint64_t budget() const;
  InstancePtr least_recent(bool (*fits)(const Instance&)) const;

  const HostOptions options;
  const SteadyClock steady;
  const Clock& clock;
  const std::shared_ptr<std::atomic<int>> waiting = std::make_shared<std::atomic<int>>(0);

  std::mutex mutex;  // guards what follows; never held while a model is loaded or unloaded, or `ready` is called
  std::condition_variable changed, looked;
  std::vector<Offer> offers;
  std::vector<InstancePtr> instances;  // in the order in which they were asked for
  HostStats count;
  std::uint64_t uses = 0;
  std::uint64_t looks_wanted = 0, looks_done = 0;
  bool draining = false, closed = false;

  std::thread thread;  // loads and unloads, one model at a time
};

}  // namespace qn::serve
