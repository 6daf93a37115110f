// SentencePiece vocabularies have scores instead of merges: any two neighbours merge whose texts together are a token, the token with
// the highest score first. This writes them down as pairs with ranks, so that one merger serves both kinds.
//   source   SentencePiece, Kudo and Richardson 2018 (arXiv:1808.06226), its BPE model
#pragma once

#include <span>
#include <string>

#include "text/tokenizer/pair_table.h"
#include "text/tokenizer/token_dictionary.h"

namespace qn::text {

//   tokens      by id; empty where a token does not merge
//   dictionary  of the same tokens
PairTable merges_from_scores(std::span<const std::string_view> tokens, std::span<const float> scores, const TokenDictionary& dictionary);

}  // namespace qn::text
