#include "api/body.h"

#include <utility>

#include "api/workers.h"

namespace qn::api {
namespace {

void read(Service& service, const std::shared_ptr<Exchange>& exchange, BodyWork work, bool optional) {
  if (exchange->request().body.empty() && !optional) return exchange->fail({Condition::no_body, "missing request body"});
  const bool taken = service.workers->run([exchange, work = std::move(work)] {
    const std::string& body = exchange->request().body;
    if (body.empty()) return work(exchange, json::Object());
    const Result<json::Value> parsed = json::parse(body);
    if (!parsed) return exchange->fail({Condition::bad_request, parsed.error().message});
    if (!parsed->is_object()) return exchange->fail({Condition::bad_request, "body: must be a JSON object"});
    work(exchange, parsed->get_object());
  });
  if (!taken) exchange->fail({Condition::overloaded, "server busy, please try again.  maximum pending requests exceeded"});
}

}  // namespace

void read_body(Service& service, const std::shared_ptr<Exchange>& exchange, BodyWork work) {
  read(service, exchange, std::move(work), false);
}

void read_optional_body(Service& service, const std::shared_ptr<Exchange>& exchange, BodyWork work) {
  read(service, exchange, std::move(work), true);
}

bool refused(Exchange& exchange, const Reading& reading) {
  if (reading.error) {
    ApiError error = to_api_error(*reading.error);
    error.param = reading.param;
    exchange.fail(std::move(error));
    return true;
  }
  if (!reading.warnings.empty() && exchange.request().query_value("strict") == "1") {
    const Warning& first = reading.warnings.front();
    exchange.fail({Condition::bad_request, fmt::format("{}: {} ({}); leave it out", first.param, first.action, first.detail), first.param});
    return true;
  }
  return false;
}

void respond_json(Exchange& exchange, json::Object body, const std::vector<Warning>& warnings) {
  HttpResponse response;
  if (!warnings.empty()) {
    body["warnings"] = to_json(warnings);
    response.headers.emplace_back("X-Quern-Warnings", std::to_string(warnings.size()));
  }
  response.body = json::print(body);
  exchange.respond(std::move(response));
}

}  // namespace qn::api
