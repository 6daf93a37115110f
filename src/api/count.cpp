#include "api/count.h"

#include <utility>

#include "api/body.h"
#include "api/workers.h"

namespace qn::api {
namespace {

class Counting : public std::enable_shared_from_this<Counting> {
 public:
  Counting(Service& service, std::shared_ptr<Exchange> exchange, GenerateJob job, std::function<json::Object(int)> body)
      : service_(service), exchange_(std::move(exchange)), job_(std::move(job)), body_(std::move(body)) {}

  void start() {
    serve::Ticket ticket = service_.models->acquire(job_.model, job_.keep_alive, [self = shared_from_this()](Result<serve::Lease> lease) {
      if (!lease) return self->exchange_->fail(self->no_lease(lease.error()));
      const bool taken = self->service_.workers->run([self, lease = *std::move(lease)] { self->count(*lease); });
      if (!taken) self->exchange_->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
    });
    // Held until the answer is complete or the client has left.
    exchange_->when_closed([held = std::make_shared<serve::Ticket>(std::move(ticket))] { held->cancel(); });
  }

 private:
  ApiError no_lease(const Error& error) const {
    return error.code == Code::not_found ? unknown_model(job_.dialect, job_.model) : to_api_error(error);
  }

  void count(serve::LoadedModel& model) {
    const Result<serve::Prepared> prompt = serve::Session(model).prepare(job_.prompts.front());
    if (!prompt) return exchange_->fail(to_api_error(prompt.error()));
    respond_json(*exchange_, body_(static_cast<int>(prompt->tokens.size())), job_.warnings);
  }

  Service& service_;
  const std::shared_ptr<Exchange> exchange_;
  const GenerateJob job_;
  const std::function<json::Object(int)> body_;
};

}  // namespace

void count_tokens(Service& service, const std::shared_ptr<Exchange>& exchange, GenerateJob job,
                  std::function<json::Object(int tokens)> body) {
  std::make_shared<Counting>(service, exchange, std::move(job), std::move(body))->start();
}

}  // namespace qn::api
