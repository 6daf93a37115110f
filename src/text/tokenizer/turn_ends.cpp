#include "text/tokenizer/turn_ends.h"

#include <algorithm>
#include <string_view>

namespace qn::text {
namespace {

constexpr std::string_view turn_ends[] = {
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "<end_of_turn>", "<｜end▁of▁sentence｜>",
    "</s>",       "<|end|>",
};

}  // namespace

std::vector<TokenId> find_turn_ends(const VocabSpec& spec) {
  std::vector<TokenId> ids;
  if (spec.eos >= 0) ids.push_back(spec.eos);
  for (const AddedToken& token : spec.added)
    if (token.special && std::find(std::begin(turn_ends), std::end(turn_ends), token.text) != std::end(turn_ends)) ids.push_back(token.id);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace qn::text
