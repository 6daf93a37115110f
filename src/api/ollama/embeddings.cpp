// POST /api/embeddings: the older form: one text to one vector, as long as the model makes it.
#include <utility>

#include "api/ollama/shared/embed_request.h"
#include "serve/embedding.h"

namespace qn::api {
namespace {

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& from, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    EmbedJob job = ollama::read_embed_job(service, fields);
    std::string prompt = fields.text("prompt").value_or("");
    fields.warn_of_the_rest();
    if (refused(*from, reading)) return;
    job.warnings = std::move(reading.warnings);
    job.norm = serve::no_norm;
    if (prompt.empty())
      return with_model(service, from, job.wish, [](const std::shared_ptr<Exchange>& asked, const serve::Lease&) {
        respond_json(*asked, {{"embedding", json::Array()}});
      });
    job.inputs.emplace_back(std::move(prompt));
    embed(service, from, std::move(job), [](Exchange& asked, const Embedded& done) {
      respond_json(asked, {{"embedding", to_json(done.vectors[0])}}, done.warnings);
    });
  });
}

}  // namespace

Endpoint endpoint_ollama_embeddings() {
  return {"POST", {"/api/embeddings"}, Scope::infer, Dialect::ollama, handle};
}

}  // namespace qn::api
