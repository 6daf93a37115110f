#include "serve/reply_constraint.h"

#include <algorithm>
#include <utility>

#include "text/chat/call_grammar.h"

namespace qn::serve {
namespace {

// Said in the model's place when a thought has used its budget, and followed by the closing tag.
constexpr std::string_view last_thought = "\n\nI have thought long enough and will answer now.\n";

void set(std::vector<std::uint64_t>& mask, TokenId token) {
  const auto index = static_cast<std::size_t>(token);
  if (index / 64 >= mask.size()) mask.resize(index / 64 + 1);
  mask[index / 64] |= std::uint64_t{1} << (index % 64);
}

// The rule for what was asked; none where nothing was.
Result<std::optional<text::RuleId>> rule_of(const ReplyRequest& request, text::GrammarBuilder& builder) {
  const Form& form = request.form;
  const std::string_view field = request.form_field;
  std::optional<text::RuleId> rule;
  if (std::holds_alternative<AnyJsonObject>(form)) {
    rule = builder.json_object();
  } else if (const auto* schema = std::get_if<JsonSchema>(&form)) {
    QN_TRY(rule, builder.json_schema(schema->schema, field.empty() ? "schema" : field));
  } else if (const auto* regex = std::get_if<Regex>(&form)) {
    QN_TRY(rule, builder.regex(regex->pattern, field.empty() ? "regex" : field));
  } else if (const auto* gbnf = std::get_if<Gbnf>(&form)) {
    QN_TRY(rule, builder.gbnf(gbnf->text, field.empty() ? "grammar" : field));
  } else if (const auto* words = std::get_if<OneOf>(&form)) {
    std::vector<text::RuleId> choices;
    for (const std::string& word : words->texts) choices.push_back(builder.literal(word));
    rule = builder.choice(choices);
  }
  return rule;
}

// All that a compiled grammar depends on, as text.
std::string source_of(const ReplyRequest& request, const text::Dialect& dialect, const text::ReplyForm& form, bool calls) {
  std::string source = fmt::format("{}", request.form.index());
  const auto add = [&](std::string_view text) { source += fmt::format(" {}:{}", text.size(), text); };
  if (const auto* schema = std::get_if<JsonSchema>(&request.form)) add(json::print(schema->schema));
  if (const auto* regex = std::get_if<Regex>(&request.form)) add(regex->pattern);
  if (const auto* gbnf = std::get_if<Gbnf>(&request.form)) add(gbnf->text);
  if (const auto* words = std::get_if<OneOf>(&request.form))
    for (const std::string& word : words->texts) add(word);
  if (calls) {
    add(dialect.name);
    add(json::print(*request.chat.tools));
    add(fmt::format("{} {} {}", static_cast<int>(form.choice.kind), form.choice.name, static_cast<int>(form.calls)));
  }
  return source;
}

bool ends_open(std::string_view prompt, std::string_view tag) {
  const std::size_t end = prompt.find_last_not_of(" \t\r\n");
  return end != std::string_view::npos && prompt.substr(0, end + 1).ends_with(tag);
}

}  // namespace

Result<ReplyConstraintPlan> plan_constraint(LoadedModel& model, const ReplyRequest& request, const text::Dialect& dialect,
                                            const text::ReplyForm& form, std::string_view prompt_end) {
  ReplyConstraintPlan plan;
  plan.tokenizer = &*model.tokenizer;
  const bool is_chat = std::holds_alternative<std::monostate>(request.raw_prompt) && model.form != PromptForm::plain_text;
  if (is_chat) {
    plan.think_close = dialect.think.close;
    plan.think_open = model.tokenizer->find(dialect.think.open);
    if (ends_open(prompt_end, dialect.think.open)) {
      plan.begins = ReplyConstraintPlan::Begins::thinking;
    } else if (!ends_open(prompt_end, dialect.think.close) && plan.think_open >= 0) {
      plan.begins = ReplyConstraintPlan::Begins::undecided;
    }
    if (request.thinking_budget && plan.begins != ReplyConstraintPlan::Begins::content) {
      plan.budget = request.thinking_budget;
      plan.closing = model.tokenizer->encode(std::string(last_thought) + plan.think_close + "\n\n", {text::Specials::parse});
    }
  }
  for (const TokenId token : request.allowed_tokens)
    if (token >= 0 && token < model.tokenizer->vocab_size()) set(plan.only, token);
  if (!plan.only.empty())
    for (const TokenId end : model.tokenizer->spec().end_of_turn) set(plan.only, end);

  using Choice = text::ToolChoice::Kind;
  const bool calls = !form.tools.empty() && dialect.has_tools() && form.choice.kind != Choice::none;
  const bool formed = !std::holds_alternative<std::monostate>(request.form);
  if (!calls && !formed) return plan;
  if (!formed && form.choice.kind == Choice::automatic) {
    for (const text::CallForm& call : dialect.forms)
      if (!call.only_at_start) plan.triggers.emplace_back(call.trigger);
    if (plan.triggers.empty()) return plan;  // no mark tells a call from an answer
  }
  for (const char* lines : {"\n", "\n\n"})
    if (const std::vector<TokenId> tokens = model.tokenizer->encode(lines, {text::Specials::as_text}); tokens.size() == 1)
      plan.line_ends.push_back(tokens[0]);

  const std::string source = source_of(request, dialect, form, calls);
  plan.vocabulary = model.grammar_vocabulary();
  plan.grammar = model.grammars.find(source);
  if (plan.grammar) return plan;
  text::GrammarBuilder builder;
  QN_TRY(std::optional<text::RuleId> rule, rule_of(request, builder));
  if (calls) {
    const bool either = formed && form.choice.kind == Choice::automatic;  // an answer in the form, or calls
    text::ReplyForm called = form;
    if (either) called.choice.kind = Choice::required;
    const auto is_control = [&](std::string_view text) { return model.tokenizer->is_special(model.tokenizer->find(text)); };
    QN_TRY(const text::RuleId written, text::add_tool_call_rules(builder, dialect, called, is_control));
    rule = either ? builder.choice({*rule, written}) : written;
  }
  QN_TRY(plan.grammar, builder.finish(*rule));
  constexpr std::chrono::milliseconds preparing{50};
  plan.vocabulary->prepare(*plan.grammar, preparing);
  model.grammars.put(source, plan.grammar);
  return plan;
}

std::shared_ptr<ReplyConstraint> ReplyConstraintPlan::make() const {
  return constrains() ? std::make_shared<ReplyConstraint>(*this) : nullptr;
}

ReplyConstraint::ReplyConstraint(const ReplyConstraintPlan& plan) : plan_(plan), phase_(Phase::content) {
  switch (plan.begins) {
    case ReplyConstraintPlan::Begins::thinking: phase_ = Phase::thinking; break;
    case ReplyConstraintPlan::Begins::undecided: phase_ = Phase::undecided; break;
    case ReplyConstraintPlan::Begins::content: begin_content(); break;
  }
  if (phase_ == Phase::undecided && plan_.grammar && plan_.triggers.empty()) matcher_.emplace(plan_.grammar, plan_.vocabulary);
}

void ReplyConstraint::begin_content() {
  phase_ = Phase::content;
  tail_.clear();
  if (!plan_.grammar || !plan_.triggers.empty()) return;
  if (!matcher_) matcher_.emplace(plan_.grammar, plan_.vocabulary);
  phase_ = Phase::grammar;
}

std::span<const std::uint64_t> ReplyConstraint::only_token(TokenId token) {
  mask_.assign(static_cast<std::size_t>(token) / 64 + 1, 0);
  set(mask_, token);
  return mask_;
}

std::span<const std::uint64_t> ReplyConstraint::allowed() {
  if (closing()) {
    const auto next = static_cast<std::size_t>(thought_ - *plan_.budget);
    if (next < plan_.closing.size()) return only_token(plan_.closing[next]);
  }
  const bool governed = phase_ == Phase::grammar || phase_ == Phase::gap || (phase_ == Phase::undecided && matcher_);
  if (!governed) return plan_.only;
  const std::span<const std::uint64_t> grammar = matcher_->allowed();
  if (phase_ == Phase::grammar && plan_.only.empty()) return grammar;
  mask_.assign(grammar.begin(), grammar.end());
  for (std::size_t word = 0; word < mask_.size() && !plan_.only.empty(); ++word)
    mask_[word] &= word < plan_.only.size() ? plan_.only[word] : 0;
  if (phase_ == Phase::undecided) set(mask_, plan_.think_open);
  if (phase_ == Phase::gap)
    for (const TokenId token : plan_.line_ends) set(mask_, token);
  return mask_;
}

std::vector<TokenId> ReplyConstraint::forced() {
  if (closing()) {
    const auto next = static_cast<std::size_t>(thought_ - *plan_.budget);
    if (next < plan_.closing.size()) return {plan_.closing.begin() + static_cast<std::ptrdiff_t>(next), plan_.closing.end()};
  }
  return phase_ == Phase::grammar ? matcher_->forced() : std::vector<TokenId>{};
}

std::string_view ReplyConstraint::bytes_of(TokenId token) const {
  if (token < 0 || token >= plan_.tokenizer->vocab_size()) return {};
  return plan_.tokenizer->is_special(token) ? plan_.tokenizer->special_text(token) : plan_.tokenizer->bytes_of(token);
}

void ReplyConstraint::advance(TokenId token) {
  switch (phase_) {
    case Phase::undecided:
      if (token == plan_.think_open) {
        phase_ = Phase::thinking;
        matcher_.reset();
        return;
      }
      begin_content();
      return advance(token);
    case Phase::thinking: ++thought_; return think(bytes_of(token));
    case Phase::content: return look_for_trigger(bytes_of(token));
    case Phase::gap:
      phase_ = Phase::grammar;
      if (std::ranges::find(plan_.line_ends, token) != plan_.line_ends.end()) return;
      return advance(token);
    case Phase::grammar: matcher_->advance(token); return;
  }
}

void ReplyConstraint::think(std::string_view bytes) {
  tail_ += bytes;
  const std::size_t close = tail_.find(plan_.think_close);
  if (close == std::string::npos) {
    const std::size_t keep = std::min(tail_.size(), plan_.think_close.size() - 1);
    tail_.erase(0, tail_.size() - keep);
    return;
  }
  // What stands after the tag in the same token belongs to the content.
  const std::string rest = tail_.substr(close + plan_.think_close.size());
  begin_content();
  if (phase_ == Phase::grammar) {
    if (!matcher_->advance_bytes(rest) || rest.empty()) phase_ = Phase::gap;
  } else {
    look_for_trigger(rest);
  }
}

void ReplyConstraint::look_for_trigger(std::string_view bytes) {
  if (!plan_.grammar) return;
  tail_ += bytes;
  std::size_t longest = 1;
  for (const std::string& trigger : plan_.triggers) {
    longest = std::max(longest, trigger.size());
    const std::size_t at = tail_.find(trigger);
    if (at == std::string::npos) continue;
    text::TokenMatcher matcher(plan_.grammar, plan_.vocabulary);
    if (!matcher.advance_bytes(std::string_view(tail_).substr(at))) continue;  // a mark that begins no call is text
    matcher_.emplace(std::move(matcher));
    phase_ = Phase::grammar;
    tail_.clear();
    return;
  }
  tail_.erase(0, tail_.size() - std::min(tail_.size(), longest - 1));
}

}  // namespace qn::serve
