#include "text/tokenizer/vocab_check.h"

#include <cmath>
#include <set>
#include <string_view>

#include "base/utf8.h"
#include "text/tokenizer/added_tokens.h"

namespace qn::text {
namespace {

constexpr std::size_t max_tokens = std::size_t{1} << 24;
constexpr std::size_t max_merges = std::size_t{1} << 24;

Status check_named_id(const VocabSpec& spec, const char* name, TokenId id) {
  if (id < -1 || id >= static_cast<TokenId>(spec.tokens.size()))
    return fail(Code::bad_input, "vocabulary: {} token has id {}, there are {} tokens; correct the file", name, id, spec.tokens.size());
  return {};
}

Status check_added(const VocabSpec& spec) {
  std::set<std::string_view> texts;
  std::set<TokenId> ids;
  for (std::size_t i = 0; i < spec.added.size(); ++i) {
    const AddedToken& token = spec.added[i];
    if (token.id < 0 || token.id >= static_cast<TokenId>(spec.tokens.size()))
      return fail(Code::bad_input, "added token {}: id {}, there are {} tokens; correct the file", quoted(token.text), token.id,
                  spec.tokens.size());
    if (token.text.empty() || token.text.size() > AddedTokens::max_text_bytes)
      return fail(Code::bad_input, "added token with id {}: {} bytes of text, from 1 to {} accepted; correct the file", token.id,
                  token.text.size(), AddedTokens::max_text_bytes);
    if (!utf8::is_valid(token.text)) return fail(Code::bad_input, "added token {}: not UTF-8; correct the file", quoted(token.text));
    if (!texts.insert(token.text).second)
      return fail(Code::bad_input, "added token {}: there are two of that text; remove one", quoted(token.text));
    if (!ids.insert(token.id).second)
      return fail(Code::bad_input, "added token {}: another one has its id {}; correct the file", quoted(token.text), token.id);
  }
  return {};
}

}  // namespace

Status check_vocab(const VocabSpec& spec) {
  const std::size_t count = spec.tokens.size();
  if (count == 0) return fail(Code::bad_input, "vocabulary: no tokens; this file cannot be used for text");
  if (count > max_tokens)
    return fail(Code::too_large, "vocabulary: {} tokens, at most {} accepted; the file may be damaged", count, max_tokens);
  if (spec.merges.size() > max_merges)
    return fail(Code::too_large, "merges: {} entries, at most {} accepted; the file may be damaged", spec.merges.size(), max_merges);
  if (!spec.types.empty() && spec.types.size() != count)
    return fail(Code::bad_input, "token types: {} entries for {} tokens; correct the file", spec.types.size(), count);
  const bool needs_scores = spec.kind == VocabKind::sentencepiece_bpe && spec.merges.empty();
  if ((needs_scores || !spec.scores.empty()) && spec.scores.size() != count)
    return fail(Code::bad_input, "token scores: {} entries for {} tokens; correct the file", spec.scores.size(), count);
  for (std::size_t id = 0; id < spec.scores.size(); ++id)
    if (std::isnan(spec.scores[id])) return fail(Code::bad_input, "token scores: entry {} is not a number; correct the file", id);
  QN_OK(check_named_id(spec, "bos", spec.bos));
  QN_OK(check_named_id(spec, "eos", spec.eos));
  QN_OK(check_named_id(spec, "unknown", spec.unknown));
  QN_OK(check_named_id(spec, "padding", spec.padding));
  for (const TokenId id : spec.end_of_turn) QN_OK(check_named_id(spec, "end-of-turn", id));
  return check_added(spec);
}

}  // namespace qn::text
