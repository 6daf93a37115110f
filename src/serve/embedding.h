// Embedding: texts to prompts for a model that turns each into one vector, and what is done with the vectors.
#pragma once

#include <string_view>
#include <vector>

#include "engine/generation.h"
#include "serve/host.h"

namespace qn::serve {

// Which hidden states a vector is made of: what the model's file says (<architecture>.pooling_type), else the last token's.
//   errors   unsupported: a kind that is not offered; bad_input: a key of another type
//   source   GGUF's numbering: 0 none, 1 mean, 2 cls, 3 last, 4 rank
Result<engine::Pooling> pooling_of(const LoadedModel& model);
// The file says that it is made for embeddings.
bool is_embedding_model(const LoadedModel& model);

// With the tokens that the model was trained to see at both ends.
std::vector<TokenId> embedding_tokens(const LoadedModel& model, std::string_view text);
// The first `most` of them; an end token that the model wants stays.
void cut_to(std::vector<TokenId>& tokens, std::size_t most, const LoadedModel& model);

// Norms in llama.cpp's numbering; any other positive number p is the p-norm.
constexpr int no_norm = -1, norm_of_largest = 0, norm_euclidean = 2;  // of largest: the largest becomes 32760
void normalize(std::vector<float>& vector, int norm);

double dot_product(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace qn::serve
