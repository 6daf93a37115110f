// POST /score: how well texts go together, in pairs. vLLM's form.
#include <utility>

#include "api/body.h"
#include "api/generate.h"
#include "api/native/shared/ranking.h"
#include "api/sampling_fields.h"

namespace qn::api {
namespace {

constexpr std::pair<std::string_view, std::string_view> spellings[] = {
    {"text_1", "text_2"}, {"queries", "documents"}, {"data_1", "data_2"}, {"queries", "items"}};

void answer(Exchange& exchange, const BatchRun& run, const std::vector<double>& scores, const std::vector<Warning>& warnings) {
  json::Array data;
  for (std::size_t i = 0; i < scores.size(); ++i) data.push_back(json::Object{{"index", i}, {"object", "score"}, {"score", scores[i]}});
  json::Object body{{"id", "score-" + random_label()},
                    {"object", "list"},
                    {"created", unix_time(std::chrono::system_clock::now())},
                    {"model", run.model()},
                    {"data", std::move(data)},
                    {"usage", json::Object{{"prompt_tokens", run.prompt_tokens}, {"total_tokens", run.prompt_tokens}}}};
  respond_json(exchange, std::move(body), warnings);
}

void handle(Service& service, std::shared_ptr<Exchange> exchange) {
  read_body(service, exchange, [&service](const std::shared_ptr<Exchange>& asked, const json::Object& body) {
    Reading reading;
    Fields fields(&body, "", reading);
    ModelWish wish;
    serve::RankingQuestion question;
    read_wish(fields, wish);
    for (const auto& [one, many] : spellings) {
      if (!question.queries.empty() || !fields.has(one) || !fields.has(many)) continue;
      question.queries = native::read_texts(fields, one);
      question.documents = native::read_texts(fields, many);
    }
    const std::size_t queries = question.queries.size(), documents = question.documents.size();
    if (queries == 0 || documents == 0) {
      reading.refuse("text_1", Code::bad_input,
                     "text_1, text_2: both must be given, and not be empty; queries and documents are taken too");
    } else if (queries > 1 && queries != documents) {
      reading.refuse("text_1", Code::bad_input,
                     fmt::format("text_1: {} texts against {}; give one, or equally many of both", queries, documents));
    }
    native::read_ranking(fields, question);
    fields.warn_of_the_rest();
    if (refused(*asked, reading)) return;
    native::rank(service, asked, std::move(wish), std::move(question),
                 [warnings = std::move(reading.warnings)](Exchange& to, const BatchRun& run, const std::vector<double>& scores) {
                   answer(to, run, scores, warnings);
                 });
  });
}

}  // namespace

Endpoint endpoint_native_score() {
  return {"POST", {"/score", "/v1/score"}, Scope::infer, Dialect::openai, handle};
}

}  // namespace qn::api
