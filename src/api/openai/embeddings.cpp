// POST /v1/embeddings.
#include <utility>

#include "api/body.h"
#include "api/embed.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

void answer(Exchange& exchange, const Embedded& done, bool base64) {
  json::Array data;
  for (std::size_t i = 0; i < done.vectors.size(); ++i) {
    json::Value vector = base64 ? json::Value(to_base64(done.vectors[i])) : json::Value(to_json(done.vectors[i]));
    data.push_back(json::Object{{"object", "embedding"}, {"index", i}, {"embedding", std::move(vector)}});
  }
  json::Object body{{"object", "list"},
                    {"data", std::move(data)},
                    {"model", done.model},
                    {"usage", json::Object{{"prompt_tokens", done.prompt_tokens}, {"total_tokens", done.prompt_tokens}}}};
  if (done.cut_tokens > 0) body["truncated"] = json::Object{{"dropped_tokens", done.cut_tokens}};
  respond_json(exchange, std::move(body), done.warnings);
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    EmbedJob job;
    read_wish(fields, job.wish);
    fields.require("input");
    job.inputs = read_inputs(fields, "input");
    const std::string format = fields.text("encoding_format").value_or("float");
    if (format != "float" && format != "base64")
      reading.refuse("encoding_format", Code::bad_input, "encoding_format: give float or base64");
    if (const auto count = fields.integer("dimensions", 1, 1 << 20)) job.dimensions = static_cast<int>(*count);
    if (const auto most = fields.integer("truncate_prompt_tokens", -1, 1 << 30)) job.most_tokens = static_cast<int>(*most);
    if (job.most_tokens == 0)
      reading.refuse("truncate_prompt_tokens", Code::bad_input, "truncate_prompt_tokens: 0 leaves nothing; give at least 1");
    job.cuts = fields.boolean("truncate").value_or(false);
    fields.ignore("user", "a label only");
    fields.ignore("priority", "all embeddings have the same");
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    job.warnings = std::move(reading.warnings);
    embed(service, asked, std::move(job), [base64 = format == "base64"](Exchange& to, const Embedded& done) { answer(to, done, base64); });
  });
}

}  // namespace

Endpoint endpoint_openai_embeddings() {
  return {"POST", {"/v1/embeddings"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
