#include "serve/host_core.h"

#include <algorithm>
#include <new>
#include <utility>

#include "base/log.h"
#include "engine/engine.h"
#include "serve/memory_budget.h"

namespace qn::serve {
namespace {

// What is wrong with a model is not its client's mistake, and where its file lies is not its client's business: only what a client can act
// on keeps its code. The whole message is for whoever runs the server.
tl::unexpected<Error> not_the_clients(const ServedModel& served, const Error& error) {
  if (error.code == Code::out_of_memory && served.load.audience == Audience::server) return tl::unexpected<Error>(error);
  const bool tellable = error.code == Code::out_of_memory || error.code == Code::unsupported;
  const bool names_file = error.message.find(name_of(served.source)) != std::string::npos;
  return fail(tellable && !names_file ? error.code : Code::io, "model {}: {}", quoted(served.name), error.message);
}

constexpr nanoseconds look_at_files_every = std::chrono::seconds(1);  // of models in use

}  // namespace

Files look_at_files(const Instance& instance) {
  const auto* path = std::get_if<std::filesystem::path>(&instance.served->source);
  if (path == nullptr || instance.model->checkpoint->maps.empty()) return Files::same;
  Files found = Files::same;
  for (const auto& map : instance.model->checkpoint->maps)
    if (map->lost()) found = Files::altered;
  // Parts of a split model are made together: the first stands for all.
  const MappedFile& first = *instance.model->checkpoint->maps.front();
  const std::optional<FileStamp> now = stamp_of(*path);
  if (!now || *now == first.stamp()) return found;
  return now->same_file(first.stamp()) ? Files::altered : std::max(found, Files::replaced);
}

void ModelHost::Core::unload(std::unique_lock<std::mutex>& lock, const InstancePtr& instance) {
  retire(*instance);
  std::unique_ptr<LoadedModel> model = std::move(instance->model);
  std::erase(instances, instance);
  lock.unlock();
  log::info("model_unloaded name={}", quoted(instance->served->name));
  model.reset();
  lock.lock();
}

void ModelHost::Core::work() {
  std::unique_lock lock(mutex);
  while (!closed) {
    const std::uint64_t wanted_looks = looks_wanted;
    look_at_files_in_use();
    if (unload_one_due(lock)) continue;
    const auto next = std::ranges::find_if(instances, [](const InstancePtr& one) { return one->state == Instance::State::queued; });
    if (next != instances.end()) {
      load_next(lock, InstancePtr(*next));
      continue;
    }
    looks_done = wanted_looks;
    looked.notify_all();
    if (looks_wanted != wanted_looks) continue;
    if (const std::optional<nanoseconds> deadline = next_deadline()) {
      changed.wait_for(lock, std::clamp<nanoseconds>(*deadline - clock.now(), nanoseconds(0), std::chrono::hours(1)));
    } else {
      changed.wait(lock);
    }
  }
  looks_done = ~std::uint64_t{0};
  looked.notify_all();
}

bool ModelHost::Core::unload_one_due(std::unique_lock<std::mutex>& lock) {
  const nanoseconds now = clock.now();
  for (const InstancePtr& instance : instances) {
    const bool expired = !instance->kept_for_ever() && instance->idle_since + instance->keep_alive <= now;
    if (!instance->idle() || !(instance->retired || expired)) continue;
    count.expirations += !instance->retired;
    unload(lock, InstancePtr(instance));
    return true;
  }
  return false;
}

// A file that is written over while we compute from it makes the replies worthless: they fail, and the next request loads it anew.
void ModelHost::Core::look_at_files_in_use() {
  for (const InstancePtr& instance : std::vector<InstancePtr>(instances)) {
    if (instance->state != Instance::State::ready || instance->leases == 0) continue;
    const Files files = look_at_files(*instance);
    if (files == Files::same) continue;
    if (files == Files::altered)
      for (const auto& map : instance->model->checkpoint->maps) map->declare_lost();
    if (!instance->retired) log::warning("model_file_changed name={}", quoted(instance->served->name));
    retire(*instance);
  }
}

std::optional<nanoseconds> ModelHost::Core::next_deadline() const {
  std::optional<nanoseconds> next;
  const auto at = [&](nanoseconds time) { next = next ? std::min(*next, time) : time; };
  for (const InstancePtr& instance : instances) {
    if (instance->leases > 0) {
      at(clock.now() + look_at_files_every);
    } else if (instance->idle() && !instance->kept_for_ever()) {
      at(instance->idle_since + instance->keep_alive);
    }
  }
  return next;
}

void ModelHost::Core::load_next(std::unique_lock<std::mutex>& lock, const InstancePtr& instance) {
  instance->state = Instance::State::loading;
  Result<std::unique_ptr<LoadedModel>> model = load(lock, *instance);
  std::vector<std::pair<std::shared_ptr<Waiter>, Result<Lease>>> told;
  std::vector<std::shared_ptr<Waiter>> waiters = std::exchange(instance->waiters, {});
  std::erase_if(waiters, [](const auto& waiter) { return !waiter->claim(); });
  if (model) {
    count.loads += 1;
    count.load_time += (*model)->load_time;
    instance->model = *std::move(model);
    instance->state = Instance::State::ready;
    instance->idle_since = clock.now();
    instance->last_use = ++uses;
    for (auto& waiter : waiters) told.emplace_back(std::move(waiter), lease(instance));
  } else {
    count.failed_loads += model.error().code != Code::cancelled;
    retire(*instance);  // the next request tries again
    std::erase(instances, instance);
    for (auto& waiter : waiters) told.emplace_back(std::move(waiter), tl::unexpected<Error>(model.error()));
  }
  lock.unlock();
  if (model) {
    log::info("model_loaded name={} seconds={:.2f} memory_gib={:.2f} context_tokens={} cache_tokens={}", quoted(instance->served->name),
              std::chrono::duration<double>(instance->model->load_time).count(), static_cast<double>(instance->bytes) / (1 << 30),
              instance->model->context_tokens,
              instance->model->plan.kv_bytes / std::max<std::uint64_t>(instance->model->plan.kv_bytes_per_token, 1));
  } else if (model.error().code != Code::cancelled) {
    log::warning("model_not_loaded name={} error={}", quoted(instance->served->name), quoted(model.error().message, 512));
  }
  for (auto& [waiter, result] : told) waiter->tell(std::move(result));
  told.clear();  // what is left of the leases ends without the lock
  lock.lock();
}

Result<std::unique_ptr<LoadedModel>> ModelHost::Core::load(std::unique_lock<std::mutex>& lock, Instance& instance) try {
  const ServedModel& served = *instance.served;
  if (!instance.wanted()) return fail(Code::cancelled, "model {}: nobody waits for it any more", quoted(served.name));
  lock.unlock();
  const nanoseconds began = clock.now();
  Result<OpenedModel> opened = open_model(served.source, served.load);
  Result<std::uint64_t> wanted = opened ? wanted_bytes(*opened, served.load) : tl::unexpected<Error>(opened.error());
  lock.lock();
  if (!wanted) return not_the_clients(served, wanted.error());
  QN_TRY(const std::uint64_t room, make_room(lock, instance, *wanted));
  Result<LoadPlan> plan = plan_load(*opened, served.load, room);
  if (!plan) return not_the_clients(served, plan.error());
  instance.bytes = plan->memory.total_bytes();
  lock.unlock();
  Result<std::unique_ptr<LoadedModel>> model = load_planned(*opened, served.load, *plan, *options.device);
  if (model) (*model)->load_time = clock.now() - began;
  lock.lock();
  if (!model) return not_the_clients(served, model.error());
  return model;
} catch (const std::bad_alloc&) {
  if (!lock.owns_lock()) lock.lock();
  return fail(Code::out_of_memory, "model {}: the system has no memory for it; unload another one", quoted(instance.served->name));
}

// Unloads others, least recently used first, until there is room. If it takes some that are in use, nobody new gets them, and we wait for
// those who have them: so two models that do not fit together are used in turn.
Result<std::uint64_t> ModelHost::Core::make_room(std::unique_lock<std::mutex>& lock, const Instance& instance, std::uint64_t wanted) {
  while (true) {
    if (closed) return shutting_down();
    if (!instance.wanted()) return fail(Code::cancelled, "model {}: nobody waits for it any more", quoted(instance.served->name));
    look_at_files_in_use();
    if (unload_one_due(lock)) continue;
    const std::uint64_t all = budget();
    std::uint64_t held = 0, going = 0;
    int others = 0, others_going = 0;
    for (const InstancePtr& other : instances) {
      if (other->state != Instance::State::ready) continue;
      held += other->bytes;
      others += 1;
      if (!other->retired) continue;
      going += other->bytes;
      others_going += 1;
    }
    const auto enough = [&](std::uint64_t bytes, int models) {
      return (bytes <= all && wanted <= all - bytes) && (options.max_loaded == 0 || models < options.max_loaded);
    };
    if (enough(held, others)) return all - held;
    if (others == 0) return all;  // there is no more to be had: the plan takes less, or says what is missing
    if (instance.served->load.context_tokens && wanted > all) return all;
    if (const InstancePtr victim = least_recent([](const Instance& one) { return one.idle(); })) {
      count.evictions += 1;
      unload(lock, victim);
      continue;
    }
    if (!enough(held - going, others - others_going)) {
      if (const InstancePtr victim =
              least_recent([](const Instance& one) { return one.state == Instance::State::ready && !one.retired; })) {
        count.evictions += 1;
        retire(*victim);
        continue;
      }
    }
    changed.wait_for(lock, look_at_files_every);
  }
}

std::uint64_t ModelHost::Core::budget() const {
  std::uint64_t locked = 0;
  for (const InstancePtr& instance : instances)
    if (instance->state == Instance::State::ready && instance->served->load.lock && instance->served->load.residence == Residence::mapped)
      locked += instance->model->plan.weight_bytes;
  const std::uint64_t machine = memory_for_models(*options.device, locked);
  return options.memory_bytes ? std::min(*options.memory_bytes, machine) : machine;
}

// Of those that fit: first what is not kept for ever, then what was used longest ago.
InstancePtr ModelHost::Core::least_recent(bool (*fits)(const Instance&)) const {
  InstancePtr least;
  const auto order = [](const Instance& one) { return std::pair(one.kept_for_ever(), one.last_use); };
  for (const InstancePtr& instance : instances)
    if (fits(*instance) && (!least || order(*instance) < order(*least))) least = instance;
  return least;
}

}  // namespace qn::serve
