// What a reply may be, token by token: thinking first, free but for its budget; then what the request's form or its tools allow.
//
//   undecided ──`<think>`──▶ thinking ──`</think>`──▶ content ──a tool's trigger──▶ following the grammar
//       └──────────────── anything else ────────────────┘            (at once where the form governs all of the content, but for the
//                                                                     lines that models leave after a thought: the gap)
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/constraint.h"
#include "serve/host.h"
#include "serve/reply_request.h"
#include "text/chat/reply_parser.h"
#include "text/grammar/token_matcher.h"

namespace qn::serve {

class ReplyConstraint;

// Compiled once for a request; each reply follows it from the beginning.
struct ReplyConstraintPlan {
  text::SharedGrammar grammar;  // null: none
  text::SharedVocabulary vocabulary;
  std::vector<std::string> triggers;  // the grammar begins where one of these stands in the content; none: with the content
  enum class Begins { thinking, undecided, content } begins = Begins::content;
  std::string think_close;
  TokenId think_open = -1;          // as one token; -1: the reply cannot open a thought itself
  std::optional<int> budget;        // tokens of thinking
  std::vector<TokenId> closing;     // what ends a thought that has used its budget
  std::vector<TokenId> line_ends;   // one token of each kind
  std::vector<std::uint64_t> only;  // allowed_tokens as a mask; none: all
  const text::Tokenizer* tokenizer = nullptr;

  bool constrains() const { return grammar || budget || !only.empty(); }
  std::shared_ptr<ReplyConstraint> make() const;  // null where nothing is constrained
};

//   errors   bad_input, too_large, unsupported: what is wrong with a schema, an expression, a grammar
Result<ReplyConstraintPlan> plan_constraint(LoadedModel& model, const ReplyRequest& request, const text::Dialect& dialect,
                                            const text::ReplyForm& form, std::string_view prompt_end);

class ReplyConstraint final : public engine::Constraint {
 public:
  explicit ReplyConstraint(const ReplyConstraintPlan& plan);

  std::span<const std::uint64_t> allowed() override;
  void advance(TokenId token) override;
  std::vector<TokenId> forced() override;

  // The grammar was too ambiguous to be followed to its end. To be asked once the reply is over.
  bool gave_up() const { return matcher_ && matcher_->gave_up(); }

 private:
  enum class Phase { undecided, thinking, gap, content, grammar };
  bool closing() const { return phase_ == Phase::thinking && plan_.budget && thought_ >= *plan_.budget; }
  std::span<const std::uint64_t> only_token(TokenId token);
  void think(std::string_view bytes);
  void begin_content();
  void look_for_trigger(std::string_view bytes);
  std::string_view bytes_of(TokenId token) const;

  const ReplyConstraintPlan plan_;
  Phase phase_;
  std::optional<text::TokenMatcher> matcher_;
  int thought_ = 0;   // tokens of thinking so far
  std::string tail_;  // the last bytes, as long as what is looked for
  std::vector<std::uint64_t> mask_;
};

}  // namespace qn::serve
