// POST /rerank: documents by how well they answer a query, best first. With `texts` in place of documents the answer has the shape of
// Text Embeddings Inference.
#include <algorithm>
#include <numeric>
#include <utility>

#include "api/body.h"
#include "api/generate.h"
#include "api/native/shared/ranking.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

struct Shown {
  bool bare = false;  // the other shape
  bool texts = true;
  std::size_t top = 0;  // 0: all
  std::vector<std::string> documents;
  std::vector<Warning> warnings;
};

void answer(Exchange& exchange, const BatchRun& run, const std::vector<double>& scores, const Shown& shown) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  if (shown.top > 0 && shown.top < order.size()) order.resize(shown.top);
  json::Array results;
  for (const std::size_t i : order) {
    json::Object entry{{"index", i}, {shown.bare ? "score" : "relevance_score", scores[i]}};
    if (shown.bare && shown.texts) entry["text"] = shown.documents[i];
    if (!shown.bare && shown.texts) entry["document"] = json::Object{{"text", shown.documents[i]}};
    results.push_back(std::move(entry));
  }
  if (shown.bare) {
    HttpResponse response;
    if (!shown.warnings.empty()) response.headers.emplace_back("X-Quern-Warnings", std::to_string(shown.warnings.size()));
    response.body = json::print(results);
    return exchange.respond(std::move(response));
  }
  json::Object body{{"id", "rerank-" + random_label()},
                    {"object", "list"},
                    {"model", run.model()},
                    {"results", std::move(results)},
                    {"usage", json::Object{{"prompt_tokens", run.prompt_tokens}, {"total_tokens", run.prompt_tokens}}}};
  respond_json(exchange, std::move(body), shown.warnings);
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    ModelWish wish;
    serve::RankingQuestion question;
    Shown shown;
    read_wish(fields, wish);
    const std::optional<std::string> query = fields.text("query");
    if (!query && !reading.error) reading.refuse("query", Code::bad_input, "\"query\" must be provided");
    question.queries.push_back(query.value_or(""));
    shown.bare = fields.has("texts") && !fields.has("documents");
    question.documents = native::read_texts(fields, shown.bare ? "texts" : "documents");
    if (question.documents.empty() && !reading.error)
      reading.refuse("documents", Code::bad_input, "\"documents\" must be a non-empty string array");
    native::read_ranking(fields, question);
    shown.top = static_cast<std::size_t>(fields.integer("top_n", 0, 1 << 30).value_or(0));
    shown.texts = shown.bare ? fields.boolean("return_text").value_or(false) : fields.boolean("return_documents").value_or(true);
    if (shown.bare) {
      fields.ignore("raw_scores", "scores are from 0 to 1");
      fields.ignore("truncate", "give truncate_prompt_tokens");
    }
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    shown.warnings = std::move(reading.warnings);
    shown.documents = question.documents;
    native::rank(service, asked, std::move(wish), std::move(question),
                 [shown = std::move(shown)](Exchange& to, const BatchRun& run, const std::vector<double>& scores) {
                   answer(to, run, scores, shown);
                 });
  });
}

}  // namespace

Endpoint endpoint_native_rerank() {
  return {"POST", {"/rerank", "/v1/rerank", "/v2/rerank", "/reranking", "/v1/reranking"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
