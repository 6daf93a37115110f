#include "cli/serve/run_server.h"

#include <memory>
#include <mutex>

#include "api/service.h"
#include "api/workers.h"
#include "cli/program.h"
#include "cli/serve/service_manager.h"
#include "cli/units.h"
#include "serve/load_plan.h"

namespace qn::cli {
namespace {

constexpr int worker_threads = 2;  // they parse, render and tokenize; computing has threads of its own

std::string threads_text(const ThreadPlan& threads) {
  if (threads.threads == threads.prompt_threads) return fmt::format("{} threads", threads.threads);
  return fmt::format("{} threads for replies, {} for prompts", threads.threads, threads.prompt_threads);
}

std::string cache_text(const serve::LoadedModel& model) {
  const std::string_view keys = model.kv.keys->name, values = model.kv.values->name;
  return keys == values ? std::string(keys) : fmt::format("{} and {}", keys, values);
}

void print_loaded(Io& io, const serve::Lease& model) {
  if (io.quiet) return;
  fmt::print(io.err, "quern: {} is loaded in {:.2f} s: weights {}, window {} tokens, at most {} replies together, cache {}\n{}",
             model.served().name, std::chrono::duration<double>(model->load_time).count(), memory_size(model->plan.weight_bytes),
             model->context_tokens, model->max_sequences, cache_text(*model), serve::cache_report(*model));
  std::fflush(io.err);
}

// Loads models one after the other, on the host's thread; the server answers meanwhile. Callbacks share it: one may still be on its way
// when the server has ended, and must then find nobody to talk to.
class Preload : public std::enable_shared_from_this<Preload> {
 public:
  Preload(serve::ModelHost& host, api::Server& server, api::Service& service, Io& io, std::vector<std::string> names)
      : host_(host), server_(server), service_(service), io_(io), names_(std::move(names)) {}

  void load(std::size_t index) {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    if (index == names_.size()) {
      service_.readiness = api::Readiness::ready;
      tell_service_manager("READY=1");
      return;
    }
    tickets_.push_back(host_.acquire(names_[index], std::nullopt, [self = shared_from_this(), index](Result<serve::Lease> lease) {
      if (self->take(lease)) self->load(index + 1);
    }));
  }

  // Nothing happens after this. The error that ended it, if one did.
  std::optional<Error> end() {
    std::vector<serve::Ticket> tickets;
    const std::lock_guard lock(mutex_);
    over_ = true;
    std::swap(tickets, tickets_);
    return failure_;
  }

 private:
  bool take(const Result<serve::Lease>& lease) {
    const std::lock_guard lock(mutex_);
    if (over_) return false;
    if (lease) {
      print_loaded(io_, *lease);
    } else {
      failure_ = lease.error();
      server_.stop();
    }
    return lease.has_value();
  }

  serve::ModelHost& host_;
  api::Server& server_;
  api::Service& service_;
  Io& io_;
  const std::vector<std::string> names_;
  std::recursive_mutex mutex_;  // a model that is in memory already is told within acquire()
  bool over_ = false;
  std::optional<Error> failure_;
  std::vector<serve::Ticket> tickets_;
};

}  // namespace

int run_server(api::ServerOptions options, ModelPlan plan, Io& io) {
  Result<std::unique_ptr<ModelLoader>> loader = ModelLoader::make(plan.devices, io);
  if (!loader) return report(io, loader.error());
  plan.host.device = &(*loader)->device();
  serve::ModelHost host(plan.host);
  for (serve::ServedModel& model : plan.models) host.offer(std::move(model));

  api::Workers workers(worker_threads);
  api::Service service;
  service.version = program_version();
  service.models = &host;
  service.workers = &workers;
  service.draft_tokens = plan.draft_tokens;
  service.engine_turns = [&host] { return host.turns(); };
  options.on_drain = [] { tell_service_manager("STOPPING=1"); };
  Result<std::unique_ptr<api::Server>> server = api::Server::start(std::move(options), api::all_endpoints(), service);
  if (!server) return report(io, server.error());

  std::string names;
  for (const auto& model : host.list()) names += (names.empty() ? "" : ", ") + model->name;
  note(io, fmt::format("offering {}; {}", names, threads_text((*loader)->threads())));
  for (const std::string& address : (*server)->addresses()) fmt::print(io.err, "quern: listening on {}\n", address);
  std::fflush(io.err);
  const auto preload = std::make_shared<Preload>(host, **server, service, io, plan.preload);
  preload->load(0);
  (*server)->run();
  const std::optional<Error> failure = preload->end();
  host.drain();
  return failure ? report(io, *failure) : exit_ok;
}

}  // namespace qn::cli
