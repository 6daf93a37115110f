#include "serve/model_host.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/engine.h"
#include "serve/host_core.h"
#include "serve/model_name.h"

namespace qn::serve {

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    cancel();
    waiter_ = std::move(other.waiter_);
  }
  return *this;
}

void Ticket::cancel() {
  if (const auto waiter = std::static_pointer_cast<Waiter>(std::exchange(waiter_, nullptr))) waiter->give_up();
}

ModelHost::ModelHost(const HostOptions& options) : core_(std::make_shared<Core>(options)) {
  survive_lost_bytes();  // one model's file is no reason for the others to end
  core_->thread = std::thread([core = core_.get()] { core->work(); });
}

ModelHost::~ModelHost() {
  std::vector<InstancePtr> left;
  {
    const std::lock_guard lock(core_->mutex);
    core_->draining = core_->closed = true;
  }
  core_->changed.notify_all();
  core_->thread.join();
  {
    const std::lock_guard lock(core_->mutex);
    core_->offers.clear();
    left.swap(core_->instances);
    std::erase_if(left, [](const InstancePtr& instance) { return instance->leases > 0; });  // these go with their last lease
  }
  for (const InstancePtr& instance : left)
    for (const auto& waiter : instance->waiters)
      if (waiter->claim()) waiter->tell(shutting_down());
}

void ModelHost::offer(ServedModel model) {
  auto served = std::make_shared<const ServedModel>(std::move(model));
  {
    const std::lock_guard lock(core_->mutex);
    const std::string name = plain_name(served->name);
    const auto found =
        std::ranges::find_if(core_->offers, [&](const Core::Offer& offer) { return plain_name(offer.served->name) == name; });
    if (found == core_->offers.end()) {
      core_->offers.push_back({std::move(served), nullptr});
    } else {
      if (found->current) core_->retire(*found->current);
      *found = {std::move(served), nullptr};
    }
  }
  core_->changed.notify_all();
}

bool ModelHost::withdraw(std::string_view name) {
  {
    const std::lock_guard lock(core_->mutex);
    const Core::Offer* offer = core_->find(name);
    if (offer == nullptr) return false;
    if (offer->current) core_->retire(*offer->current);
    std::erase_if(core_->offers, [&](const Core::Offer& one) { return &one == offer; });
  }
  core_->changed.notify_all();
  return true;
}

std::vector<std::shared_ptr<const ServedModel>> ModelHost::list() const {
  const std::lock_guard lock(core_->mutex);
  std::vector<std::shared_ptr<const ServedModel>> all;
  for (const Core::Offer& offer : core_->offers) all.push_back(offer.served);
  return all;
}

std::shared_ptr<const ServedModel> ModelHost::find(std::string_view name) const {
  const std::lock_guard lock(core_->mutex);
  const Core::Offer* offer = core_->find(name);
  return offer != nullptr ? offer->served : nullptr;
}

Ticket ModelHost::acquire(std::string_view name, std::optional<KeepAlive> keep_alive, Ready ready) {
  Result<Lease> answer;
  {
    const std::lock_guard lock(core_->mutex);
    Core::Offer* offer = core_->find(name);
    if (core_->draining) {
      answer = shutting_down();
    } else if (offer == nullptr) {
      answer = fail(Code::not_found, "model {}: there is none of that name; see the list of models", quoted(name));
    } else {
      const ServedModel& served = *offer->served;
      const KeepAlive kept = keep_alive.value_or(served.keep_alive.value_or(core_->options.keep_alive));
      if (offer->current && offer->current->state == Instance::State::ready && look_at_files(*offer->current) != Files::same)
        core_->retire(*offer->current);
      if (offer->current && offer->current->state == Instance::State::ready) {
        offer->current->keep_alive = kept;
        answer = core_->lease(offer->current);
      } else if (*core_->waiting >= core_->options.max_waiting) {
        answer = fail(Code::overloaded, "model {}: {} requests wait for models already; try again later", quoted(name),
                      core_->options.max_waiting);
      } else {
        if (!offer->current) {
          offer->current = std::make_shared<Instance>(Instance{.served = offer->served});
          core_->instances.push_back(offer->current);
        }
        offer->current->keep_alive = kept;
        const auto wake = [core = core_->weak_from_this()] {
          if (const auto still = core.lock()) still->changed.notify_all();
        };
        const auto waiter = std::make_shared<Waiter>(std::move(ready), core_->waiting, wake);
        std::erase_if(offer->current->waiters, [](const auto& one) { return !one->waits(); });
        offer->current->waiters.push_back(waiter);
        core_->changed.notify_all();
        Ticket ticket;
        ticket.waiter_ = waiter;
        return ticket;
      }
    }
  }
  ready(std::move(answer));
  return {};
}

bool ModelHost::unload(std::string_view name) {
  {
    const std::lock_guard lock(core_->mutex);
    const Core::Offer* offer = core_->find(name);
    if (offer == nullptr) return false;
    if (offer->current) offer->current->keep_alive = KeepAlive(0);
  }
  core_->changed.notify_all();
  return true;
}

std::vector<LoadedInfo> ModelHost::loaded() const {
  const std::lock_guard lock(core_->mutex);
  const nanoseconds now = core_->clock.now();
  std::vector<LoadedInfo> all;
  for (const InstancePtr& instance : core_->instances) {
    LoadedInfo info{.served = instance->served, .leases = instance->leases};
    if (instance->state == Instance::State::ready) {
      info.ready = true;
      info.memory = instance->model->plan;
      info.context_tokens = instance->model->context_tokens;
      info.engine = instance->model->engine->stats();
    }
    if (!instance->kept_for_ever()) {
      const nanoseconds since = instance->idle() ? instance->idle_since : now;
      info.remaining = std::max(nanoseconds(0), since + instance->keep_alive - now);
    }
    all.push_back(std::move(info));
  }
  return all;
}

bool ModelHost::turns() const {
  // A step of 512 rows through a model of 30 GB takes half a minute on two old cores.
  constexpr std::chrono::seconds longest_step{120};
  const std::lock_guard lock(core_->mutex);
  for (const InstancePtr& instance : core_->instances) {
    if (instance->state != Instance::State::ready) continue;
    const auto begun = instance->model->engine->stats().turn_begun;
    if (begun && instance->model->clock.now() - *begun > longest_step) return false;
  }
  return true;
}

HostStats ModelHost::stats() const {
  const std::lock_guard lock(core_->mutex);
  return core_->count;
}

void ModelHost::drain() {
  const std::lock_guard lock(core_->mutex);
  core_->draining = true;
}

void ModelHost::expire() {
  std::unique_lock lock(core_->mutex);
  const std::uint64_t mine = ++core_->looks_wanted;
  core_->changed.notify_all();
  core_->looked.wait(lock, [&] { return core_->looks_done >= mine; });
}

ModelHost::Core::Offer* ModelHost::Core::find(std::string_view name) {
  for (const bool by_alias : {false, true})
    for (Offer& offer : offers) {
      const auto means = [&](const std::string& pattern) { return matches_name(pattern, name); };
      if (by_alias ? std::ranges::any_of(offer.served->aliases, means) : plain_name(offer.served->name) == plain_name(name)) return &offer;
    }
  return nullptr;
}

Lease ModelHost::Core::lease(const InstancePtr& instance) {
  instance->leases += 1;
  instance->last_use = ++uses;
  Lease lease;
  lease.hold_ = std::make_shared<Hold>(shared_from_this(), instance);
  lease.model_ = instance->model.get();
  lease.served_ = instance->served.get();
  return lease;
}

void ModelHost::Core::release(Instance& instance) {
  std::unique_ptr<LoadedModel> orphan;  // ends outside the lock
  {
    const std::lock_guard lock(mutex);
    if (--instance.leases > 0) return;
    instance.idle_since = clock.now();
    instance.last_use = ++uses;
    if (closed) orphan = std::move(instance.model);
  }
  changed.notify_all();
}

// Nobody new gets it; it goes when nobody has it any more.
void ModelHost::Core::retire(Instance& instance) {
  instance.retired = true;
  for (Offer& offer : offers)
    if (offer.current.get() == &instance) offer.current = nullptr;
}

}  // namespace qn::serve
