// GET /api/ps: the models in memory, the one that stays longest first.
#include <algorithm>
#include <ctime>

#include "api/body.h"
#include "api/ollama/shared/model_json.h"
#include "api/ollama/shared/reply.h"
#include "api/workers.h"

namespace qn::api {
namespace {

constexpr std::chrono::hours for_ever{24 * 365 * 292};  // about the year 2318, as Ollama says it

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  const bool taken = service.workers->run([&service, exchange] {
    const std::time_t now = std::time(nullptr);
    std::vector<serve::LoadedInfo> loaded = service.models->loaded();
    const auto stays = [](const serve::LoadedInfo& info) { return info.remaining.value_or(std::chrono::nanoseconds(for_ever)); };
    std::ranges::stable_sort(loaded, [&](const auto& a, const auto& b) { return stays(a) > stays(b); });
    json::Array models;
    for (const serve::LoadedInfo& info : loaded) {
      if (!info.ready) continue;
      const auto facts = service.facts.of(*info.served);
      models.push_back(
          json::Object{{"name", info.served->name},
                       {"model", info.served->name},
                       {"size", info.memory.total_bytes()},
                       {"digest", ollama::digest_of(*info.served)},
                       {"details", ollama::details_json(facts.get())},
                       {"expires_at", ollama::timestamp(now + std::chrono::floor<std::chrono::seconds>(stays(info)).count(), 0)},
                       {"size_vram", 0},
                       {"context_length", info.context_tokens}});
    }
    respond_json(*exchange, {{"models", std::move(models)}});
  });
  if (!taken) exchange->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
}

}  // namespace

Endpoint endpoint_ollama_ps() {
  return {"GET", {"/api/ps"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
