#include "api/metrics/reply_metrics.h"

#include <algorithm>

#include "api/generate.h"

namespace qn::api {
namespace {

// vLLM's buckets, so that dashboards made for it fit.
constexpr double request_seconds[] = {0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
constexpr double first_seconds[] = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
                                    1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
constexpr double token_seconds[] = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80};
constexpr double token_counts[] = {1,    2,    5,     10,    20,    50,     100,    200,    500,    1000,
                                   2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000};
constexpr double choice_counts[] = {1, 2, 5, 10, 20};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

void add_choice(ModelReplies& model, const Run& run, const Choice& choice) {
  const serve::ReplyStats& stats = choice.stats;
  switch (choice.finish) {
    case serve::Finish::stop: ++model.stopped; break;
    case serve::Finish::length:
    case serve::Finish::window_full: ++model.full; break;
    default: ++model.aborted; break;
  }
  model.prompt_seconds += seconds(stats.prompt_eval);
  model.reply_seconds += seconds(stats.eval);
  model.reply_tokens += static_cast<std::uint64_t>(stats.reply_tokens);
  model.longest = std::max(model.longest, static_cast<std::uint64_t>(stats.prompt_tokens + stats.reply_tokens));
  if (stats.reply_tokens == 0) return;  // it never began
  model.computed_tokens += static_cast<std::uint64_t>(stats.prompt_tokens - stats.cached_tokens);
  model.first_token.add(seconds(run.load_time + stats.first_token));
  model.queued.add(seconds(stats.queued));
  model.reading.add(seconds(stats.prompt_eval));
  model.writing.add(seconds(stats.eval));
  model.computing.add(seconds(stats.prompt_eval + stats.eval));
  model.prompt_tokens.add(stats.prompt_tokens);
  model.reply_tokens_each.add(stats.reply_tokens);
  if (stats.reply_tokens > 1) model.each_token.add(seconds(stats.eval) / (stats.reply_tokens - 1));
  for (std::size_t i = 1; i < choice.tokens.size(); ++i) model.between_tokens.add(seconds(choice.tokens[i].at - choice.tokens[i - 1].at));
}

}  // namespace

ModelReplies::ModelReplies()
    : first_token(first_seconds),
      between_tokens(token_seconds),
      each_token(token_seconds),
      whole(request_seconds),
      queued(request_seconds),
      computing(request_seconds),
      reading(request_seconds),
      writing(request_seconds),
      prompt_tokens(token_counts),
      reply_tokens_each(token_counts),
      longest_reply(token_counts),
      asked_choices(choice_counts),
      asked_tokens(token_counts) {}

void ReplyMetrics::add(const Run& run) {
  if (run.prompts.empty() || run.choices.empty()) return;
  const std::lock_guard lock(mutex_);
  ModelReplies& model = models_[run.model];
  for (const Choice& choice : run.choices) add_choice(model, run, choice);
  const std::size_t each = run.choices.size() / run.prompts.size();
  for (std::size_t p = 0; p < run.prompts.size(); ++p) {
    int longest = 0;
    for (std::size_t i = 0; i < each; ++i) longest = std::max(longest, run.choices[p * each + i].stats.reply_tokens);
    model.longest_reply.add(longest);
    model.asked_choices.add(run.job.choices);
    const int asked = run.job.prompts[p].parameters.num_predict.value_or(0);
    const int room = run.prompts[p].window - static_cast<int>(run.prompts[p].tokens.size());
    model.asked_tokens.add(asked > 0 ? asked : room);
    if (run.total.count() > 0) model.whole.add(seconds(run.total));
  }
}

std::map<std::string, ModelReplies> ReplyMetrics::by_model() const {
  const std::lock_guard lock(mutex_);
  return models_;
}

}  // namespace qn::api
