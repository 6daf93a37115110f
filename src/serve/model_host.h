// ModelHost: names → loaded models. A model is loaded when it is first asked for, kept while anybody holds a lease on it and for its
// keep-alive after that, and evicted, least recently used first, when another one needs its memory.
// Invariant: the plans of all models in memory together fit the budget, and a model with a lease is never taken away.
// A process with a host survives the loss of a model's file: that model's replies fail (base/mapped_file.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/stats.h"
#include "serve/host.h"

namespace qn::serve {

// From the end of the last lease. Zero: unloaded then; negative: kept for ever.
using KeepAlive = std::chrono::nanoseconds;

struct ServedModel {
  std::string name;                  // as listings show it
  std::vector<std::string> aliases;  // further names it answers to; a last '*' stands for any ending
  ModelSource source;
  LoadOptions load;
  std::optional<KeepAlive> keep_alive;  // where a request says none; none: the host's

  // For listings.
  std::uint64_t size_bytes = 0;
  std::chrono::system_clock::time_point modified{};
  std::string digest;  // SHA-256 in hexadecimal; empty where it is not known
};

// Keeps a model in memory. Copies keep it together; the keep-alive counts from the end of the last.
class Lease {
 public:
  Lease() = default;
  explicit operator bool() const { return hold_ != nullptr; }
  LoadedModel& operator*() const { return *model_; }
  LoadedModel* operator->() const { return model_; }
  const ServedModel& served() const { return *served_; }

 private:
  friend class ModelHost;
  std::shared_ptr<void> hold_;  // shared by the copies: the host hears when the last one goes
  LoadedModel* model_ = nullptr;
  const ServedModel* served_ = nullptr;
};

// A request that waits for its model. Whoever gives up its ticket waits no more; others who wait for the same model do.
class Ticket {
 public:
  Ticket() = default;
  Ticket(Ticket&& other) noexcept = default;
  Ticket& operator=(Ticket&& other) noexcept;
  ~Ticket() { cancel(); }

  // `ready` does not begin after this has returned. It may be running on another thread.
  void cancel();

 private:
  friend class ModelHost;
  std::shared_ptr<void> waiter_;
};

struct HostOptions {
  Backend* device = nullptr;                       // borrowed; outlives the host and every lease
  std::optional<std::uint64_t> memory_bytes;       // of all models together; none: what the machine has left at each load
  int max_loaded = 0;                              // models in memory, at most; 0: as many as fit
  int max_waiting = 512;                           // requests that wait for a model, at most
  KeepAlive keep_alive = std::chrono::minutes(5);  // where neither request nor model says one
  const Clock* clock = nullptr;                    // of keep-alives; null: the steady clock
};

struct LoadedInfo {  // of one model in memory, or on its way there
  std::shared_ptr<const ServedModel> served;
  bool ready = false;  // false: being loaded
  model::MemoryPlan memory;
  int context_tokens = 0;
  int leases = 0;
  std::optional<std::chrono::nanoseconds> remaining;  // until it is unloaded, if nobody asks for it again; none: for ever
  engine::Stats engine;
};

struct HostStats {  // since the host was made
  std::uint64_t loads = 0, failed_loads = 0, evictions = 0, expirations = 0;
  std::chrono::nanoseconds load_time{0};  // of all loads
};

class ModelHost {
 public:
  explicit ModelHost(const HostOptions& options);
  // Tells who still waits that the server shuts down; returns when no load is under way. Leases end before.
  ~ModelHost();
  ModelHost(const ModelHost&) = delete;
  ModelHost& operator=(const ModelHost&) = delete;

  // Offers a model, in place of one of the same name. Whoever talks to that one goes on to; who comes after this gets the new one.
  void offer(ServedModel model);
  // Offers it no more. false: there is none of that name.
  bool withdraw(std::string_view name);

  std::vector<std::shared_ptr<const ServedModel>> list() const;  // in the order they were offered
  // By name or alias: case does not matter, `:latest` is implied, the default registry may be said. Null where there is none.
  std::shared_ptr<const ServedModel> find(std::string_view name) const;

  // Calls `ready` exactly once, unless the ticket is cancelled first: at once, where the model is in memory, else on the host's thread.
  // It hands the lease on and returns; it does not throw.
  //   errors   given to `ready`. not_found: the name; out_of_memory: the plan against the budget; overloaded: too many wait, or the
  //            server shuts down; io: the model could not be loaded, with what only the server's owner should read. It is tried again at
  //            the next request.
  using Ready = std::function<void(Result<Lease>)>;
  [[nodiscard]] Ticket acquire(std::string_view name, std::optional<KeepAlive> keep_alive, Ready ready);

  // Unloads it as soon as nobody uses it. false: there is none of that name.
  bool unload(std::string_view name);

  std::vector<LoadedInfo> loaded() const;
  HostStats stats() const;

  // False where an engine's step takes longer than any step can: it hangs. Any thread.
  bool turns() const;

  // From here on only those who wait already get a lease.
  void drain();

  // Looks at the clock: for tests whose clock is their own. The host's thread does so when time has come.
  void expire();

 private:
  struct Core;
  std::shared_ptr<Core> core_;  // shared with leases and tickets, which may outlive the host
};

}  // namespace qn::serve
