// POST /v1/responses/input_tokens: how many tokens the prompt of /v1/responses would have.
#include "api/body.h"
#include "api/count.h"
#include "api/openai/shared/response_request.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    GenerateJob job;
    job.dialect = Dialect::responses;
    openai::ResponseRequest request = openai::read_response_request(fields);
    read_common(service, fields, job, request.reply);
    fields.skip("stream");
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.prompts.push_back(std::move(request.reply));
    count_tokens(service, asked, std::move(job), [](int tokens) {
      return json::Object{{"object", "response.input_tokens"}, {"input_tokens", tokens}};
    });
  });
}

}  // namespace

Endpoint endpoint_openai_responses_input_tokens() {
  return {"POST", {"/v1/responses/input_tokens"}, Scope::infer, Dialect::responses, handle};
}

}  // namespace qn::api
