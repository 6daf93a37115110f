#include "api/model_work.h"

#include <utility>

#include "api/workers.h"

namespace qn::api {

ApiError no_lease(const Error& error, Dialect dialect, std::string_view model) {
  if (error.code != Code::not_found) return to_api_error(error);
  if (model.empty()) return {Condition::no_model, "model: missing, and this server has none of its own; name one", "model"};
  return unknown_model(dialect, model);
}

std::string meant_model(const Service& service, const std::string& named) {
  if (!named.empty()) return named;
  const auto models = service.models->list();
  return models.empty() ? "" : models[0]->name;
}

void with_model(Service& service, const std::shared_ptr<Exchange>& exchange, ModelWish wish, ModelWork work) {
  wish.model = meant_model(service, wish.model);
  const auto shared_work = std::make_shared<ModelWork>(std::move(work));  // by the two steps below
  serve::Ticket ticket =
      service.models->acquire(wish.model, wish.keep_alive, [&service, exchange, wish, shared_work](Result<serve::Lease> lease) {
        if (!lease) return exchange->fail(no_lease(lease.error(), wish.dialect, wish.model));
        const bool taken = service.workers->run([exchange, shared_work, lease = *std::move(lease)] { (*shared_work)(exchange, lease); });
        if (!taken) exchange->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
      });
  // The exchange keeps the ticket until the answer is complete, or gives it up when the client leaves.
  exchange->when_closed([held = std::make_shared<serve::Ticket>(std::move(ticket))] { held->cancel(); });
}

}  // namespace qn::api
