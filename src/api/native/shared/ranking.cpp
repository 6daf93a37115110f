#include "api/native/shared/ranking.h"

#include <utility>

namespace qn::api::native {
namespace {

constexpr std::size_t most_texts = 10'000;

std::optional<std::string> text_of(const json::Value& value) {
  const json::Value* text = &value;
  if (const json::Object* object = value.if_object()) text = object->if_contains("text");
  if (text == nullptr || !text->is_string()) return std::nullopt;
  return std::string(text->get_string());
}

}  // namespace

std::vector<std::string> read_texts(Fields& fields, std::string_view name) {
  std::vector<std::string> out;
  const json::Value* value = fields.any(name);
  if (value == nullptr) return out;
  const std::string path = fields.path_of(name);
  const auto wrong = [&] {
    fields.reading().refuse(path, Code::bad_input, fmt::format("{}: give a string, or a list of strings or of {{\"text\": …}}", path));
    return std::vector<std::string>();
  };
  if (!value->is_array()) {
    std::optional<std::string> text = text_of(*value);
    if (!text) return wrong();
    out.push_back(*std::move(text));
    return out;
  }
  if (value->get_array().size() > most_texts) {
    fields.reading().refuse(path, Code::too_large,
                            fmt::format("{}: {} texts, at most {}; send fewer", path, value->get_array().size(), most_texts));
    return out;
  }
  for (const json::Value& entry : value->get_array()) {
    std::optional<std::string> text = text_of(entry);
    if (!text) return wrong();
    out.push_back(*std::move(text));
  }
  return out;
}

void read_ranking(Fields& fields, serve::RankingQuestion& question) {
  question.instruction = fields.text("instruction");
  if (const auto most = fields.integer("truncate_prompt_tokens", 1, 1 << 30)) question.most_tokens = static_cast<int>(*most);
  fields.ignore("user", "a label only");
  fields.ignore("priority", "all have the same");
}

void rank(Service& service, const std::shared_ptr<Exchange>& exchange, ModelWish wish, serve::RankingQuestion question,
          std::function<void(Exchange&, const BatchRun&, const std::vector<double>&)> answer) {
  struct State {
    serve::RankingQuestion question;
    serve::RankingPrompts prompts;
  };
  const auto state = std::make_shared<State>(State{std::move(question), {}});  // by the two steps
  BatchJob job;
  job.wish = std::move(wish);
  job.prompts = [state](serve::LoadedModel& model) -> Result<std::vector<serve::BatchPrompt>> {
    QN_TRY(state->prompts, serve::ranking_prompts(model, state->question));
    return std::move(state->prompts.prompts);
  };
  job.answer = [state, answer = std::move(answer)](Exchange& asked, BatchRun& run) {
    answer(asked, run, serve::ranking_scores(state->prompts, std::move(run.results)));
  };
  run_batch(service, exchange, std::move(job));
}

}  // namespace qn::api::native
