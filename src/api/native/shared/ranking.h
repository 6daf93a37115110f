// What rerank and score share: texts out of JSON, and the question run.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/batch.h"
#include "api/fields.h"
#include "serve/ranking.h"

namespace qn::api::native {

// A string, an object with "text", or a list of these; none where the field is missing or wrong.
std::vector<std::string> read_texts(Fields& fields, std::string_view name);

// Takes instruction and truncate_prompt_tokens.
void read_ranking(Fields& fields, serve::RankingQuestion& question);

//   answer   on a worker, with a score for each document
void rank(Service& service, const std::shared_ptr<Exchange>& exchange, ModelWish wish, serve::RankingQuestion question,
          std::function<void(Exchange&, const BatchRun&, const std::vector<double>&)> answer);

}  // namespace qn::api::native
