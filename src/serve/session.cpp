#include "serve/session.h"

#include <algorithm>
#include <ctime>
#include <limits>
#include <random>
#include <utility>

#include "engine/engine.h"
#include "serve/fill_in.h"
#include "serve/reply.h"
#include "serve/reply_constraint.h"

namespace qn::serve {

const std::string_view chatml_template =
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

namespace {

constexpr float never = -std::numeric_limits<float>::infinity();

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

// What every reply to a prepared request begins with.
struct Prepared::Inside {
  engine::Generation generation;  // without sink, seed of its own, and constraint
  std::function<void()> wake;
  ReplyConstraintPlan constraint;
  std::vector<std::string> stop;
  bool show_stop = false, show_special_tokens = false, goes_on = false, splits = false;
  text::Dialect dialect;
  text::ReplyForm form;
  std::string prompt_end;  // all that a parser looks at
  std::chrono::nanoseconds began{0};
};

namespace {

bool is_chat(const ReplyRequest& request, const LoadedModel& model) {
  return std::holds_alternative<std::monostate>(request.raw_prompt) && model.form != PromptForm::plain_text;
}

// Texts that bias or ban name tokens; only here is it known which.
Status name_tokens(const ReplyRequest& request, const text::Tokenizer& tokenizer, engine::Generation& generation) {
  std::vector<engine::LogitBias>& bias = generation.sampling.logit_bias;
  bias.insert(bias.end(), request.logit_bias.begin(), request.logit_bias.end());
  for (const auto& [text, amount] : request.text_bias)
    for (const TokenId token : tokenizer.encode(text, {text::Specials::as_text})) bias.push_back({token, amount});
  for (const std::string& word : request.banned_words) {
    // As it stands, and after a space: the beginning of a word is another token than its middle.
    for (const std::string& form : {word, " " + word}) {
      const std::vector<TokenId> tokens = tokenizer.encode(form, {text::Specials::as_text});
      if (tokens.size() == 1) {
        bias.push_back({tokens[0], never});
      } else if (form == word) {
        return fail(Code::unsupported, "bad_words: '{}' is {} tokens, only single tokens can be banned; use logit_bias", quoted(word),
                    tokens.size());
      }
    }
  }
  std::vector<TokenId>& breakers = generation.sampling.dry_breakers;
  for (const std::string& text : request.dry_breakers)
    for (TokenId token = 0; token < tokenizer.vocab_size(); ++token)
      if (tokenizer.bytes_of(token).find(text) != std::string_view::npos) breakers.push_back(token);
  std::ranges::sort(breakers);
  breakers.erase(std::ranges::unique(breakers).begin(), breakers.end());
  return {};
}

// What the request leaves open, as the server was told; parameters are merged elsewhere.
void apply(const ReplyDefaults& defaults, ReplyRequest& request) {
  json::Object& arguments = request.chat.template_arguments;
  for (const auto& [name, value] : defaults.template_arguments)
    if (!arguments.contains(name)) arguments[name] = value;
  if (!request.chat.think) request.chat.think = defaults.think;
  if (!request.thinking_budget) request.thinking_budget = defaults.thinking_budget;
}

Result<engine::Generation> generation_for(const LoadedModel& model, const ReplyRequest& request) {
  const Parameters parameters = merge(merge(request.parameters, model.recommended), request.fallback);
  engine::Generation generation;
  generation.sampling = engine::merge(engine::SamplingParameters{}, parameters.sampling);
  if (!parameters.sampling.seed) generation.sampling.seed = random_seed();
  QN_OK(name_tokens(request, *model.tokenizer, generation));
  if (parameters.num_predict && *parameters.num_predict > 0) generation.max_tokens = *parameters.num_predict;
  const std::vector<TokenId>& ends = model.tokenizer->spec().end_of_turn;
  generation.stop_tokens = request.stop_tokens;
  if (!request.ignore_end_of_turn) {
    generation.stop_tokens.insert(generation.stop_tokens.end(), ends.begin(), ends.end());
  } else {
    for (const TokenId id : ends) generation.sampling.logit_bias.push_back({id, never});
  }
  generation.min_tokens = request.min_tokens;
  generation.top_logprobs = request.top_logprobs;
  generation.prompt_logprobs = request.prompt_logprobs;
  generation.draft_tokens = request.draft_tokens;
  generation.salt = request.tenant ^ (request.cache_salt.empty() ? 0 : std::hash<std::string>{}(request.cache_salt));
  generation.tenant = request.tenant;
  generation.priority = request.priority;
  return generation;
}

// Drops the oldest message that is neither the system's nor the last, and the answers that hang on it. False: there is none.
bool drop_oldest(text::Chat& chat, int& dropped) {
  std::vector<text::Message>& messages = chat.messages;
  std::size_t first = 0;
  while (first < messages.size() && messages[first].role == "system") ++first;
  if (first + 1 >= messages.size()) return false;
  const auto begin = messages.begin() + static_cast<std::ptrdiff_t>(first);
  auto end = begin + 1;
  while (end + 1 < messages.end() && (end->role == "assistant" || end->role == "tool")) ++end;  // a chat goes on with a user's turn
  dropped += static_cast<int>(end - begin);
  messages.erase(begin, end);
  return true;
}

}  // namespace

std::string ReplyPiece::joined(text::ReplyPart::Kind kind) const {
  std::string out;
  for (const text::ReplyPart& part : parts) {
    const bool is_broken_call = part.kind == text::ReplyPart::Kind::call_broken && kind == text::ReplyPart::Kind::content;
    if (part.kind == kind || is_broken_call) out += part.text;
  }
  return out;
}

Result<std::string> Session::render(const text::Chat& chat) const {
  if (model_->form == PromptForm::plain_text) {
    // A base model goes on with text: what was said so far, each turn of the user on a line of its own.
    std::string prompt;
    for (const text::Message& message : chat.messages)
      prompt += (prompt.empty() || message.role == "assistant" ? "" : "\n") + message.content;
    return prompt;
  }
  if (model_->template_error) return tl::unexpected<Error>(*model_->template_error);
  const std::time_t seconds = std::time(nullptr);
  std::tm now{};
  localtime_r(&seconds, &now);
  return text::render_chat(*model_->chat_template, chat, model_->chat_tokens(), now, model_->capabilities);
}

// The prompt's text and tokens; where it may be cut to fit, cut.
Status Session::write_prompt(ReplyRequest& request, Prepared& prepared) const {
  const bool cuts = request.overflow == Overflow::drop_oldest && !std::holds_alternative<FillIn>(request.raw_prompt);
  const int room = prepared.window - 1;
  if (const auto* tokens = std::get_if<std::vector<TokenId>>(&request.raw_prompt)) {
    prepared.tokens = *tokens;
  } else if (const auto* raw = std::get_if<RawText>(&request.raw_prompt)) {
    prepared.text = raw->text;
    prepared.tokens = model_->tokenizer->encode(raw->text, {text::Specials::parse, raw->add_bos});
  } else if (const auto* mixed = std::get_if<RawParts>(&request.raw_prompt)) {
    for (const auto& part : mixed->parts) {
      if (const auto* token = std::get_if<TokenId>(&part)) {
        prepared.tokens.push_back(*token);
        continue;
      }
      const std::vector<TokenId> more =
          model_->tokenizer->encode(std::get<std::string>(part), {text::Specials::parse, prepared.tokens.empty()});
      prepared.tokens.insert(prepared.tokens.end(), more.begin(), more.end());
    }
  } else if (const auto* middle = std::get_if<FillIn>(&request.raw_prompt)) {
    const FillMarks marks = find_fill_marks(model_->checkpoint->metadata, *model_->tokenizer);
    QN_TRY(prepared.tokens, fill_in_tokens(*middle, marks, *model_->tokenizer));
  } else {
    const bool plain = model_->form == PromptForm::plain_text;
    int all_tokens = -1;
    while (true) {
      QN_TRY(prepared.text, render(request.chat));
      prepared.tokens = model_->tokenizer->encode(prepared.text, {text::Specials::parse, plain});
      if (all_tokens < 0) all_tokens = static_cast<int>(prepared.tokens.size());
      if (!cuts || static_cast<int>(prepared.tokens.size()) <= room || !drop_oldest(request.chat, prepared.dropped_messages)) break;
    }
    prepared.dropped_tokens = all_tokens - static_cast<int>(prepared.tokens.size());
    return {};
  }
  if (cuts && static_cast<int>(prepared.tokens.size()) > room) {
    prepared.dropped_tokens = static_cast<int>(prepared.tokens.size()) - room;
    prepared.tokens.erase(prepared.tokens.begin(), prepared.tokens.begin() + prepared.dropped_tokens);
  }
  return {};
}

Result<Prepared> Session::prepare(const ReplyRequest& asked) const {
  auto inside = std::make_shared<Prepared::Inside>();
  inside->began = model_->clock.now();
  ReplyRequest request = asked;
  apply(model_->defaults, request);
  Prepared prepared;
  // A request may want a smaller window; a larger one there is not.
  prepared.window = model_->engine->longest();
  if (const int wish = request.parameters.num_ctx.value_or(0); wish > 0) prepared.window = std::min(prepared.window, wish);
  QN_OK(write_prompt(request, prepared));
  if (prepared.tokens.empty()) {
    const TokenId bos = model_->tokenizer->spec().bos;
    if (bos < 0) return fail(Code::bad_input, "prompt: it holds no token; write something");
    prepared.tokens.push_back(bos);
  }
  QN_TRY(inside->generation, generation_for(*model_, request));
  inside->generation.prompt = prepared.tokens;
  if (prepared.window < model_->engine->longest() && prepared.fits()) {
    const int room = prepared.window - static_cast<int>(prepared.tokens.size());
    inside->generation.max_tokens = std::min(inside->generation.max_tokens.value_or(room), room);
  }
  prepared.sampling = inside->generation.sampling;
  inside->wake = request.wake;
  inside->stop = merge(request.parameters, model_->recommended).stop;
  inside->show_stop = request.show_stop;
  inside->show_special_tokens = request.show_special_tokens;
  inside->splits = is_chat(request, *model_);
  inside->goes_on = !inside->splits;
  inside->dialect = model_->dialect;
  constexpr std::size_t looked_at = 256;
  inside->prompt_end = prepared.text.substr(prepared.text.size() - std::min(prepared.text.size(), looked_at));
  inside->form.choice = request.tool_choice;
  inside->form.calls = request.calls;
  if (inside->splits && request.chat.tools && request.tool_choice.kind != text::ToolChoice::Kind::none) {
    QN_TRY(inside->form.tools, text::read_tools(*request.chat.tools));
  }
  inside->form.call_seed = random_seed();
  QN_TRY(inside->constraint, plan_constraint(*model_, request, inside->dialect, inside->form, inside->prompt_end));
  prepared.inside = std::move(inside);
  return prepared;
}

Result<std::unique_ptr<Reply>> Session::start(const Prepared& prepared, int choice) const {
  const Prepared::Inside& inside = *prepared.inside;
  engine::Generation generation = inside.generation;
  generation.sampling.seed += static_cast<std::uint64_t>(choice);
  std::shared_ptr<ReplyConstraint> constraint = inside.constraint.make();
  generation.constraint = constraint;
  Reading reading{.stop = inside.stop,
                  .show_stop = inside.show_stop,
                  .show_special_tokens = inside.show_special_tokens,
                  .min_tokens = generation.min_tokens,
                  .goes_on = inside.goes_on,
                  .constraint = std::move(constraint)};
  if (inside.splits) {
    for (const std::string_view mark : inside.dialect.marks()) reading.kept_specials.emplace_back(mark);
    text::ReplyForm form = inside.form;
    form.call_seed += static_cast<std::uint64_t>(choice) << 32;
    reading.parser.emplace(inside.dialect, inside.prompt_end, std::move(form));
  }
  auto reply = std::make_unique<EngineReply>(*model_, std::move(reading), inside.began);
  QN_OK(reply->start(std::move(generation), inside.wake));
  return reply;
}

Result<std::unique_ptr<Reply>> Session::start(const ReplyRequest& request) const {
  QN_TRY(const Prepared prepared, prepare(request));
  return start(prepared);
}

}  // namespace qn::serve
