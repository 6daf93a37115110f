// tokenizer.ggml.* as a VocabSpec. What GGUF has no key for (normalization, how text is cut, whether merges are skipped) follows from
// tokenizer.ggml.pre, a name that stands for one published tokenizer each: the table below is all that is known about them.
//   source   llama.cpp's converter writes these keys; the patterns behind the names are those of the models' tokenizer.json
#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "file/checkpoint.h"
#include "text/tokenizer/turn_ends.h"

namespace qn::file {
namespace {

using text::AddedToken;
using text::PreSplit;
using text::TokenType;
using text::VocabKind;
using text::VocabSpec;

enum class Nfc { no, yes };
enum class Merges { always, not_for_whole_tokens };
enum class Bos { no, yes };

struct PreTokenizer {
  std::string_view name;  // tokenizer.ggml.pre
  PreSplit split;
  Nfc nfc;
  Merges merges;
  Bos bos;  // where tokenizer.ggml.add_bos_token is absent
};

// nfc: Hugging Face's tokenizers of Qwen2, 2.5 and 3 normalise to NFC and GGUF cannot say so; without it, ids differ on decomposed text.
// default, and no name at all: the converter did not know the tokenizer. llama.cpp then cuts by a pattern of its own that no model was
// trained with; byte-level tokenizers without a pattern of their own use GPT-2's, so that is the better guess.
// Not here: qwen35, whose words include combining marks (\p{M}).
constexpr PreTokenizer pre_tokenizers[] = {
    {"qwen2", PreSplit::qwen2, Nfc::yes, Merges::always, Bos::no},
    {"deepseek-r1-qwen", PreSplit::qwen2, Nfc::no, Merges::always, Bos::no},
    {"llama-bpe", PreSplit::llama3, Nfc::no, Merges::not_for_whole_tokens, Bos::yes},
    {"llama3", PreSplit::llama3, Nfc::no, Merges::not_for_whole_tokens, Bos::yes},
    {"llama-v3", PreSplit::llama3, Nfc::no, Merges::not_for_whole_tokens, Bos::yes},
    {"smaug-bpe", PreSplit::llama3, Nfc::no, Merges::always, Bos::no},
    {"deepseek-llm", PreSplit::deepseek_llm, Nfc::no, Merges::always, Bos::no},
    {"deepseek-coder", PreSplit::deepseek_coder, Nfc::no, Merges::always, Bos::no},
    {"deepseek-v3", PreSplit::deepseek_v3, Nfc::no, Merges::always, Bos::no},
    {"gpt-2", PreSplit::gpt2, Nfc::no, Merges::always, Bos::no},
    {"gpt2", PreSplit::gpt2, Nfc::no, Merges::always, Bos::no},
    {"default", PreSplit::gpt2, Nfc::no, Merges::always, Bos::no},
};

constexpr std::string_view convert_again = "convert the model again";

std::string key_of(std::string_view name) {
  return fmt::format("tokenizer.ggml.{}", name);
}

Result<const PreTokenizer*> find_pre_tokenizer(const Metadata& metadata) {
  QN_TRY(const auto given, metadata.text(key_of("pre")));
  const std::string name = given.value_or("default");
  std::string known;
  for (const PreTokenizer& pre : pre_tokenizers) {
    if (pre.name == name) return &pre;
    known += (known.empty() ? "" : ", ") + std::string(pre.name);
  }
  return fail(Code::unsupported,
              "metadata key 'tokenizer.ggml.pre': the way of cutting text named {} is not known to this version; known are {}",
              quoted(name), known);
}

// The id a key names; -1 where the key is absent or says so.
Result<TokenId> read_id(const Metadata& metadata, std::string_view name, std::size_t vocab_size, TokenId otherwise = -1) {
  const std::string key = key_of(name);
  QN_TRY(const auto given, metadata.integer(key));
  if (!given) return otherwise < static_cast<std::int64_t>(vocab_size) ? otherwise : -1;
  if (*given == -1 || *given == std::numeric_limits<std::uint32_t>::max()) return -1;
  if (*given < 0 || *given >= static_cast<std::int64_t>(vocab_size))
    return fail(Code::bad_input, "metadata key '{}': token {} is not in the vocabulary of {}; {}", key, *given, vocab_size, convert_again);
  return static_cast<TokenId>(*given);
}

Status read_tokens(const Metadata& metadata, VocabSpec& spec) {
  QN_TRY(const auto* tokens, metadata.texts(key_of("tokens")));
  if (tokens == nullptr || tokens->empty())
    return fail(Code::bad_input, "metadata key 'tokenizer.ggml.tokens': the file has no vocabulary; give a model with one");
  if (tokens->size() > static_cast<std::size_t>(std::numeric_limits<TokenId>::max()))
    return fail(Code::too_large, "metadata key 'tokenizer.ggml.tokens': {} tokens, more than 31 bits can count; {}", tokens->size(),
                convert_again);
  spec.tokens = *tokens;
  return {};
}

Status read_types(const Metadata& metadata, VocabSpec& spec) {
  spec.types.assign(spec.tokens.size(), TokenType::normal);
  QN_TRY(const auto types, metadata.integers(key_of("token_type")));
  if (!types) return {};
  if (types->size() != spec.tokens.size())
    return fail(Code::bad_input, "metadata key 'tokenizer.ggml.token_type': {} entries for {} tokens; {}", types->size(),
                spec.tokens.size(), convert_again);
  for (std::size_t id = 0; id < types->size(); ++id) {
    const std::int64_t type = (*types)[id];
    if (type < 0 || type > static_cast<std::int64_t>(TokenType::byte))
      return fail(Code::bad_input, "metadata key 'tokenizer.ggml.token_type': token {} has type {}, 0 to 6 are known; {}", id, type,
                  convert_again);
    if (type != 0) spec.types[id] = static_cast<TokenType>(type);  // 0, "undefined", in files of the first converters
  }
  return {};
}

Status read_scores(const Metadata& metadata, VocabSpec& spec) {
  QN_TRY(const auto* scores, metadata.floats(key_of("scores")));
  if (scores == nullptr || scores->size() != spec.tokens.size())
    return fail(Code::bad_input, "metadata key 'tokenizer.ggml.scores': {} entries for {} tokens; {}", scores ? scores->size() : 0,
                spec.tokens.size(), convert_again);
  spec.scores = *scores;
  return {};
}

Status read_merges(const Metadata& metadata, VocabSpec& spec) {
  QN_TRY(const auto* merges, metadata.texts(key_of("merges")));
  if (merges == nullptr) return fail(Code::bad_input, "metadata key 'tokenizer.ggml.merges': it is missing; {}", convert_again);
  spec.merges.reserve(merges->size());
  for (const std::string& merge : *merges) {
    const std::size_t space = merge.find(' ', 1);  // a part may begin with one
    if (space == std::string::npos || space + 1 == merge.size())
      return fail(Code::bad_input, "metadata key 'tokenizer.ggml.merges': merge {}, {}, is not two parts with a space between; {}",
                  spec.merges.size(), quoted(merge), convert_again);
    spec.merges.emplace_back(std::string(merge, 0, space), std::string(merge, space + 1));
  }
  return {};
}

void collect_added(VocabSpec& spec) {
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
    const TokenType type = spec.types[id];
    if (type != TokenType::control && type != TokenType::user_defined) continue;
    AddedToken added;
    added.id = static_cast<TokenId>(id);
    added.text = spec.tokens[id];
    added.special = type == TokenType::control;
    spec.added.push_back(std::move(added));
  }
}

Status read_special_ids(const Metadata& metadata, VocabSpec& spec) {
  const std::size_t size = spec.tokens.size();
  const bool sentencepiece = spec.kind == VocabKind::sentencepiece_bpe;  // whose trainer puts <unk>, <s> and </s> first
  QN_TRY(spec.bos, read_id(metadata, "bos_token_id", size, sentencepiece ? 1 : -1));
  QN_TRY(spec.eos, read_id(metadata, "eos_token_id", size, sentencepiece ? 2 : -1));
  QN_TRY(spec.unknown, read_id(metadata, "unknown_token_id", size, sentencepiece ? 0 : -1));
  QN_TRY(spec.padding, read_id(metadata, "padding_token_id", size));
  QN_TRY(const TokenId end_of_turn, read_id(metadata, "eot_token_id", size));
  QN_TRY(const TokenId end_of_message, read_id(metadata, "eom_token_id", size));
  spec.end_of_turn = text::find_turn_ends(spec);  // whether or not the file names them
  for (const TokenId id : {end_of_turn, end_of_message})
    if (id >= 0) spec.end_of_turn.push_back(id);
  std::sort(spec.end_of_turn.begin(), spec.end_of_turn.end());
  spec.end_of_turn.erase(std::unique(spec.end_of_turn.begin(), spec.end_of_turn.end()), spec.end_of_turn.end());
  return {};
}

Status read_flags(const Metadata& metadata, VocabSpec& spec, bool bos_by_default) {
  QN_TRY(const auto add_bos, metadata.boolean(key_of("add_bos_token")));
  QN_TRY(const auto add_eos, metadata.boolean(key_of("add_eos_token")));
  QN_TRY(const auto add_space_prefix, metadata.boolean(key_of("add_space_prefix")));
  spec.add_bos = add_bos.value_or(bos_by_default);
  spec.add_eos = add_eos.value_or(false);
  spec.add_space_prefix = add_space_prefix.value_or(true);
  return {};
}

Status read_byte_level(const Metadata& metadata, VocabSpec& spec) {
  spec.kind = VocabKind::byte_level_bpe;
  QN_TRY(const PreTokenizer* pre, find_pre_tokenizer(metadata));
  spec.pre_split = pre->split;
  spec.nfc = pre->nfc == Nfc::yes;
  spec.ignore_merges = pre->merges == Merges::not_for_whole_tokens;
  QN_OK(read_merges(metadata, spec));
  return read_flags(metadata, spec, pre->bos == Bos::yes);
}

Status read_sentencepiece(const Metadata& metadata, VocabSpec& spec) {
  spec.kind = VocabKind::sentencepiece_bpe;
  spec.pre_split = PreSplit::none;
  QN_OK(read_scores(metadata, spec));
  return read_flags(metadata, spec, true);
}

}  // namespace

Result<text::VocabSpec> read_vocab(const Metadata& metadata) {
  QN_TRY(const auto model, metadata.text(key_of("model")));
  if (!model) return fail(Code::bad_input, "metadata key 'tokenizer.ggml.model': the file has no tokenizer; give a model with one");
  VocabSpec spec;
  QN_OK(read_tokens(metadata, spec));
  QN_OK(read_types(metadata, spec));
  if (*model == "gpt2")
    QN_OK(read_byte_level(metadata, spec));
  else if (*model == "llama")
    QN_OK(read_sentencepiece(metadata, spec));
  else
    return fail(Code::unsupported,
                "metadata key 'tokenizer.ggml.model': tokenizers of kind {} are not known to this version; known are gpt2, llama",
                quoted(*model));
  collect_added(spec);
  QN_OK(read_special_ids(metadata, spec));
  return spec;
}

}  // namespace qn::file
