// POST /v1/messages/count_tokens: how many tokens the prompt of /v1/messages would have.
#include "api/anthropic/shared/request.h"
#include "api/body.h"
#include "api/count.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    job.dialect = Dialect::anthropic;
    serve::ReplyRequest request;
    fields.require("model");
    anthropic::read_chat(fields, request);
    anthropic::read_tools(fields, request);
    anthropic::read_output(fields, request);
    read_sampling(fields, request);
    read_common(service, fields, job, request);
    for (const std::string_view known : {"stream", "cache_control"}) fields.skip(known);
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.prompts.push_back(std::move(request));
    count_tokens(service, asked, std::move(job), [](int tokens) { return json::Object{{"input_tokens", tokens}}; });
  });
}

}  // namespace

Endpoint endpoint_anthropic_count_tokens() {
  return {"POST", {"/v1/messages/count_tokens"}, Scope::infer, Dialect::anthropic, handle};
}

}  // namespace qn::api
