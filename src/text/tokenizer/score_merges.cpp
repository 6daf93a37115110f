#include "text/tokenizer/score_merges.h"

#include <algorithm>
#include <vector>

#include "text/tokenizer/unicode.h"

namespace qn::text {
namespace {

struct ScoredPair {
  TokenId left, right, result;
};

// Tokens of equal score get one rank: among them the leftmost pair in the text goes first.
std::vector<std::uint32_t> ranks_of(std::span<const float> scores) {
  std::vector<std::uint32_t> by_score(scores.size());
  for (std::uint32_t id = 0; id < by_score.size(); ++id) by_score[id] = id;
  std::stable_sort(by_score.begin(), by_score.end(), [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  std::vector<std::uint32_t> ranks(scores.size());
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < by_score.size(); ++i) {
    if (i > 0 && scores[by_score[i]] != scores[by_score[i - 1]]) ++rank;
    ranks[by_score[i]] = rank;
  }
  return ranks;
}

}  // namespace

PairTable merges_from_scores(std::span<const std::string_view> tokens, std::span<const float> scores, const TokenDictionary& dictionary) {
  const std::vector<std::uint32_t> ranks = ranks_of(scores);
  std::vector<ScoredPair> pairs;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string_view text = tokens[id];
    if (text.empty() || dictionary.find(text) != static_cast<TokenId>(id)) continue;
    for (std::size_t cut = front(text.data()).bytes; cut < text.size(); cut += front(text.data() + cut).bytes) {
      const TokenId left = dictionary.find(text.substr(0, cut));
      const TokenId right = left < 0 ? -1 : dictionary.find(text.substr(cut));
      if (right >= 0) pairs.push_back({left, right, static_cast<TokenId>(id)});
    }
  }
  PairTable table(pairs.size());
  for (const ScoredPair& p : pairs) table.set(p.left, p.right, {ranks[static_cast<std::size_t>(p.result)], p.result});
  return table;
}

}  // namespace qn::text
