// POST /embedding, /embeddings: llama-server's form. The vectors are pooled as the model's file says.
#include <utility>

#include "api/body.h"
#include "api/embed.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

void answer(Exchange& exchange, const Embedded& done) {
  json::Array out;
  for (std::size_t i = 0; i < done.vectors.size(); ++i)
    out.push_back(json::Object{{"index", i}, {"embedding", json::Array{to_json(done.vectors[i])}}});
  HttpResponse response;
  if (!done.warnings.empty()) response.headers.emplace_back("X-Quern-Warnings", std::to_string(done.warnings.size()));
  response.body = json::print(out);  // a bare list: warnings have their place in the header only
  exchange.respond(std::move(response));
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    EmbedJob job;
    read_wish(fields, job.wish);
    job.wish.dialect = Dialect::native;
    job.inputs = read_inputs(fields, "content");
    std::vector<EmbedInput> more = read_inputs(fields, "input");
    if (job.inputs.empty()) job.inputs = std::move(more);
    if (job.inputs.empty()) reading.refuse("content", Code::bad_input, "\"input\" or \"content\" must be provided");
    job.norm = static_cast<int>(fields.integer("embd_normalize", -1, 64).value_or(serve::norm_euclidean));
    const std::string format = fields.text("encoding_format").value_or("float");
    if (format != "float")
      reading.refuse("encoding_format", Code::bad_input, "encoding_format: give float; POST /v1/embeddings answers in base64 too");
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    embed(service, asked, std::move(job), answer);
  });
}

}  // namespace

Endpoint endpoint_native_embedding() {
  return {"POST", {"/embedding", "/embeddings"}, Scope::infer, Dialect::native, handle};
}

}  // namespace qn::api
