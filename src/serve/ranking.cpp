#include "serve/ranking.h"

#include <algorithm>
#include <cmath>

#include "serve/embedding.h"

namespace qn::serve {
namespace {

constexpr std::string_view before =
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. Note that the "
    "answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n";
constexpr std::string_view after = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";
constexpr std::string_view usual_instruction = "Given a web search query, retrieve relevant passages that answer the query";

void append(std::vector<TokenId>& tokens, const std::vector<TokenId>& more) {
  tokens.insert(tokens.end(), more.begin(), more.end());
}

std::size_t room_for(std::optional<int> most_tokens, std::size_t others) {
  if (!most_tokens) return std::numeric_limits<std::size_t>::max();
  const auto most = static_cast<std::size_t>(std::max(*most_tokens, 0));
  return most > others ? most - others : 1;
}

Result<RankingPrompts> prompts_to_compare(const LoadedModel& model, const RankingQuestion& question) {
  RankingPrompts out{.compares = true, .queries = question.queries.size()};
  QN_TRY(const engine::Pooling pooling, pooling_of(model));
  for (const std::string& query : question.queries) {
    const std::string text = question.instruction ? fmt::format("Instruct: {}\nQuery:{}", *question.instruction, query) : query;
    out.prompts.push_back({.tokens = embedding_tokens(model, text), .pooling = pooling});
  }
  for (const std::string& document : question.documents) {
    std::vector<TokenId> tokens = embedding_tokens(model, document);
    cut_to(tokens, room_for(question.most_tokens, 0), model);
    out.prompts.push_back({.tokens = std::move(tokens), .pooling = pooling});
  }
  return out;
}

Result<RankingPrompts> prompts_to_ask(const LoadedModel& model, const RankingQuestion& question) {
  const text::Tokenizer& tokenizer = *model.tokenizer;
  const std::vector<TokenId> yes = tokenizer.encode("yes", {text::Specials::as_text});
  const std::vector<TokenId> no = tokenizer.encode("no", {text::Specials::as_text});
  if (yes.empty() || no.empty() || yes[0] == no[0])
    return fail(Code::unsupported, "model {}: its vocabulary does not tell yes from no; use one made for ranking or for embeddings",
                quoted(model.name));
  const std::vector<TokenId> head = tokenizer.encode(before, {text::Specials::parse, true});
  const std::vector<TokenId> tail = tokenizer.encode(after, {text::Specials::parse});
  RankingPrompts out{.queries = question.queries.size()};
  const std::string instruction = question.instruction.value_or(std::string(usual_instruction));
  for (std::size_t i = 0; i < question.documents.size(); ++i) {
    const std::string& query = question.queries[question.queries.size() == 1 ? 0 : i];
    const std::string asked = fmt::format("<Instruct>: {}\n<Query>: {}\n<Document>: ", instruction, query);
    std::vector<TokenId> tokens = head;
    if (!question.most_tokens) {
      append(tokens, tokenizer.encode(asked + question.documents[i], {text::Specials::as_text}));
    } else {
      append(tokens, tokenizer.encode(asked, {text::Specials::as_text}));
      std::vector<TokenId> document = tokenizer.encode(question.documents[i], {text::Specials::as_text});
      document.resize(std::min(document.size(), room_for(question.most_tokens, tokens.size() + tail.size())));
      append(tokens, document);
    }
    append(tokens, tail);
    out.prompts.push_back({.tokens = std::move(tokens), .scored = {yes[0], no[0]}});
  }
  return out;
}

}  // namespace

Result<RankingPrompts> ranking_prompts(const LoadedModel& model, const RankingQuestion& question) {
  return is_embedding_model(model) ? prompts_to_compare(model, question) : prompts_to_ask(model, question);
}

std::vector<double> ranking_scores(const RankingPrompts& prompts, std::vector<BatchResult> results) {
  std::vector<double> scores;
  if (!prompts.compares) {
    for (const BatchResult& result : results)
      scores.push_back(1 / (1 + std::exp(static_cast<double>(result.values[1]) - static_cast<double>(result.values[0]))));
    return scores;
  }
  for (BatchResult& result : results) normalize(result.values, norm_euclidean);
  for (std::size_t i = prompts.queries; i < results.size(); ++i) {
    const std::size_t query = prompts.queries == 1 ? 0 : i - prompts.queries;
    scores.push_back(dot_product(results[query].values, results[i].values));
  }
  return scores;
}

}  // namespace qn::serve
