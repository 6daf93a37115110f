// Ranking: how well documents answer queries. A model made for embeddings compares vectors; any other is asked the question that
// Qwen3-Reranker was trained on, and answers with the odds of "yes" against "no".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "serve/batch.h"

namespace qn::serve {

struct RankingQuestion {
  std::vector<std::string> queries;    // one, or as many as documents
  std::vector<std::string> documents;  // at least one
  std::optional<std::string> instruction;
  std::optional<int> most_tokens;  // of a prompt; a document is cut to fit
};

struct RankingPrompts {
  std::vector<BatchPrompt> prompts;
  bool compares = false;  // vectors, first of the queries, then of the documents; else yes and no for each document
  std::size_t queries = 0;
};

//   errors   unsupported: the model's pooling, or a vocabulary whose "yes" and "no" begin alike
//   source   Qwen3-Reranker's model card: the prompt and the score; Qwen3-Embedding's: the instruction before a query
Result<RankingPrompts> ranking_prompts(const LoadedModel& model, const RankingQuestion& question);

// In [0, 1], or the cosine: one for each document.
std::vector<double> ranking_scores(const RankingPrompts& prompts, std::vector<BatchResult> results);

}  // namespace qn::serve
