// tokenizer.json describes a pipeline: normalizer, pre_tokenizer, model, post_processor, decoder, each a kind by name or a sequence of
// them. Two pipelines are known: bytes in GPT-2's alphabet, and SentencePiece's text with "▁" for a space. Whatever does not fit one of
// them is refused by name: a tokenizer that is nearly right gives wrong answers quietly.
#include "text/tokenizer/tokenizer_json.h"

#include <algorithm>
#include <cctype>

#include "text/tokenizer/json_node.h"
#include "text/tokenizer/pre_split.h"
#include "text/tokenizer/turn_ends.h"

namespace qn::text {
namespace {

constexpr json::Limits limits{.depth = 32, .bytes = std::size_t{256} << 20};
constexpr std::string_view space_mark = "\u2581";  // "▁"
constexpr const char* convert = "use the model's GGUF file";

// What the stages have said so far.
struct Reading {
  VocabSpec spec;
  bool byte_level = false;   // pre_tokenizer or decoder
  bool space_marks = false;  // a normalizer or pre_tokenizer that writes "▁" for a space
  bool byte_fallback = false;
  std::vector<std::string> patterns;
};

tl::unexpected<Error> unknown_kind(const JsonNode& node, std::string_view kind) {
  return node.wrong(Code::unsupported, "{} is not supported by this version; {}", quoted(kind), convert);
}

Result<std::string_view> kind_of(const JsonNode& node) {
  return node["type"].text();
}

// Calls read(stage) for a stage, or in turn for those of a Sequence. Sequences do not nest in published files.
template <class Read>
Status for_each_stage(const JsonNode& node, std::string_view list_name, Read&& read) {
  if (node.is_null()) return {};
  QN_OK(node.object());
  QN_TRY(const std::string_view kind, kind_of(node));
  if (kind != "Sequence") return read(node, kind);
  const JsonNode list = node[list_name];
  QN_TRY(const json::Array* stages, list.array());
  for (std::size_t i = 0; i < stages->size(); ++i) {
    const JsonNode stage = list.element(i);
    QN_TRY(const std::string_view stage_kind, kind_of(stage));
    if (stage_kind == "Sequence") return unknown_kind(stage, "Sequence in a Sequence");
    QN_OK(read(stage, stage_kind));
  }
  return {};
}

Status put_token(Reading& r, const JsonNode& node, std::string_view text, std::int64_t id, std::size_t room, TokenType type) {
  // Ids may have gaps, but a single large one must not make a table of its size.
  if (id < 0 || static_cast<std::uint64_t>(id) >= 2 * room + 65536)
    return node.wrong(Code::bad_input, "id {} of {}, in a vocabulary of {}; correct the file", id, quoted(text), room);
  const auto place = static_cast<std::size_t>(id);
  if (place >= r.spec.tokens.size()) {
    r.spec.tokens.resize(place + 1);
    r.spec.types.resize(place + 1, TokenType::unused);
  }
  std::string& slot = r.spec.tokens[place];
  if (r.spec.types[place] != TokenType::unused && slot != text)
    return node.wrong(Code::bad_input, "id {} is both {} and {}; correct the file", id, quoted(slot), quoted(text));
  slot = text;
  r.spec.types[place] = type;
  return {};
}

bool is_byte_name(std::string_view token) {
  return token.size() == 6 && token.substr(0, 3) == "<0x" && token[5] == '>';
}

Status read_vocab_table(Reading& r, const JsonNode& node, std::size_t room) {
  QN_TRY(const json::Object* vocab, node.object());
  for (const auto& member : *vocab) {
    const std::string_view text(member.key().data(), member.key().size());
    const std::int64_t* id = member.value().if_int64();
    if (id == nullptr) return node.wrong(Code::bad_input, "the id of {} is not an integer; correct the file", quoted(text));
    const TokenType type = r.byte_fallback && is_byte_name(text) ? TokenType::byte : TokenType::normal;
    QN_OK(put_token(r, node, text, *id, room, type));
  }
  return {};
}

// "a b" or ["a", "b"].
Status read_merges(Reading& r, const JsonNode& node) {
  QN_TRY(const json::Array* merges, node.array());
  r.spec.merges.reserve(merges->size());
  for (const json::Value& merge : *merges) {
    std::string left, right;
    if (const auto* line = merge.if_string()) {
      const std::string_view both(line->data(), line->size());
      const std::size_t space = both.find(' ');
      if (space != std::string_view::npos) {
        left = both.substr(0, space);
        right = both.substr(space + 1);
      }
    } else if (const auto* pair = merge.if_array(); pair != nullptr && pair->size() == 2) {
      if (const auto* text = (*pair)[0].if_string()) left.assign(text->data(), text->size());
      if (const auto* text = (*pair)[1].if_string()) right.assign(text->data(), text->size());
    }
    if (left.empty() || right.empty())
      return node.wrong(Code::bad_input, "entry {} is neither \"a b\" nor [\"a\", \"b\"]; correct the file", r.spec.merges.size());
    r.spec.merges.emplace_back(std::move(left), std::move(right));
  }
  return {};
}

Status read_model(Reading& r, const JsonNode& model, std::size_t added_tokens) {
  QN_OK(model.object());
  const std::string_view kind = model["type"].text_if_any().value_or(model["merges"].is_null() ? "without type" : "BPE");
  if (kind != "BPE") return unknown_kind(model, kind);
  if (!model["dropout"].is_null()) return unknown_kind(model["dropout"], "dropout");
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model[affix].text_if_any().value_or("").empty()) return unknown_kind(model[affix], affix);
  QN_TRY(r.byte_fallback, model["byte_fallback"].boolean(false));
  QN_TRY(r.spec.ignore_merges, model["ignore_merges"].boolean(false));
  QN_TRY(r.spec.fuse_unknown, model["fuse_unk"].boolean(false));
  QN_TRY(const json::Object* vocab, model["vocab"].object());
  QN_OK(read_vocab_table(r, model["vocab"], vocab->size() + added_tokens));
  QN_OK(read_merges(r, model["merges"]));
  if (const auto unknown = model["unk_token"].text_if_any()) {
    const auto* id = vocab->if_contains(*unknown);
    if (id == nullptr) return model["unk_token"].wrong(Code::bad_input, "{} is not in the vocabulary; correct the file", quoted(*unknown));
    r.spec.unknown = static_cast<TokenId>(id->get_int64());  // read_vocab_table has seen that it is one
  }
  return {};
}

Status read_added(Reading& r, const JsonNode& list, std::size_t vocab_tokens) {
  if (list.is_null()) return {};
  QN_TRY(const json::Array* tokens, list.array());
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    const JsonNode node = list.element(i);
    AddedToken token;
    QN_TRY(const std::int64_t id, node["id"].integer());
    QN_TRY(const std::string_view text, node["content"].text());
    QN_TRY(token.special, node["special"].boolean(false));
    QN_TRY(token.strip_left, node["lstrip"].boolean(false));
    QN_TRY(token.strip_right, node["rstrip"].boolean(false));
    QN_TRY(token.single_word, node["single_word"].boolean(false));
    QN_TRY(token.normalized, node["normalized"].boolean(!token.special));
    QN_OK(put_token(r, node, text, id, vocab_tokens + tokens->size(), token.special ? TokenType::control : TokenType::user_defined));
    token.id = static_cast<TokenId>(id);
    token.text = text;
    r.spec.added.push_back(std::move(token));
  }
  return {};
}

bool is_space_to_mark(const JsonNode& replace) {
  return replace["pattern"]["String"].text_if_any() == " " && replace["content"].text_if_any() == space_mark;
}

Status read_normalizer(Reading& r, const JsonNode& node) {
  r.spec.add_space_prefix = false;
  return for_each_stage(node, "normalizers", [&](const JsonNode& stage, std::string_view kind) -> Status {
    if (kind == "NFC") {
      if (r.space_marks) return unknown_kind(stage, "NFC behind Replace");
      r.spec.nfc = true;
    } else if (kind == "Prepend" && stage["prepend"].text_if_any() == space_mark && !r.space_marks) {
      r.spec.add_space_prefix = true;
    } else if (kind == "Replace" && is_space_to_mark(stage)) {
      r.space_marks = true;
    } else {
      return unknown_kind(stage, kind);
    }
    return {};
  });
}

std::string escaped(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c))) out += '\\';
    out += c;
  }
  return out;
}

Status read_split(Reading& r, const JsonNode& stage) {
  const JsonNode pattern = stage["pattern"];
  const auto regex = pattern["Regex"].text_if_any();
  const auto literal = pattern["String"].text_if_any();
  if (!regex && !literal) return pattern.expected("\"Regex\" or \"String\"");
  QN_TRY(const std::string_view behavior, stage["behavior"].text());
  QN_TRY(const bool invert, stage["invert"].boolean(false));
  if (literal == " " && r.space_marks) return {};  // there is no space left to split at (Gemma)
  // Where a pattern matches everything, keeping the matches alone is the same as setting them apart.
  const bool isolates = (behavior == "Isolated" && !invert) || (behavior == "Removed" && invert);
  if (!isolates) return unknown_kind(stage, fmt::format("Split with behavior {}{}", behavior, invert ? ", inverted" : ""));
  r.patterns.push_back(regex ? std::string(*regex) : escaped(*literal));
  return {};
}

Status read_metaspace(Reading& r, const JsonNode& stage) {
  if (stage["replacement"].text_if_any() != space_mark) return unknown_kind(stage["replacement"], "a replacement other than U+2581");
  QN_TRY(const bool old_prefix, stage["add_prefix_space"].boolean(true));
  const std::string_view scheme = stage["prepend_scheme"].text_if_any().value_or(old_prefix ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never") return unknown_kind(stage["prepend_scheme"], scheme);
  QN_TRY(r.spec.split_at_spaces, stage["split"].boolean(true));
  r.space_marks = true;
  r.spec.add_space_prefix = scheme != "never";
  r.spec.space_prefix = scheme == "first" ? SpacePrefix::unless_there_at_start : SpacePrefix::unless_there;
  return {};
}

Status read_pre_tokenizer(Reading& r, const JsonNode& node) {
  return for_each_stage(node, "pretokenizers", [&](const JsonNode& stage, std::string_view kind) -> Status {
    if (r.byte_level) return unknown_kind(stage, fmt::format("{} behind ByteLevel", kind));
    if (kind == "Split") return read_split(r, stage);
    if (kind == "Metaspace") return read_metaspace(r, stage);
    if (kind == "Digits") {
      QN_TRY(const bool individual, stage["individual_digits"].boolean(false));
      r.patterns.push_back(individual ? R"(\p{N})" : R"(\p{N}+)");
      return {};
    }
    if (kind != "ByteLevel") return unknown_kind(stage, kind);
    QN_TRY(const bool add_prefix_space, stage["add_prefix_space"].boolean(true));
    QN_TRY(const bool use_regex, stage["use_regex"].boolean(true));
    if (add_prefix_space) return unknown_kind(stage["add_prefix_space"], "true");
    if (use_regex) r.patterns.push_back(patterns_of(PreSplit::gpt2)[0]);
    r.byte_level = true;
    return {};
  });
}

// The one id that a special token of a TemplateProcessing stands for.
Result<TokenId> template_token(const Reading& r, const JsonNode& post, const JsonNode& piece) {
  QN_TRY(const std::string_view name, piece["id"].text());
  const JsonNode ids = post["special_tokens"][name]["ids"];
  QN_TRY(const json::Array* list, ids.array());
  if (list->size() != 1) return unknown_kind(ids, fmt::format("a list of {} ids", list->size()));
  QN_TRY(const std::int64_t id, ids.element(0).integer());
  if (id < 0 || id >= static_cast<std::int64_t>(r.spec.tokens.size()))
    return ids.wrong(Code::bad_input, "id {}, there are {} tokens; correct the file", id, r.spec.tokens.size());
  return static_cast<TokenId>(id);
}

Status read_template(Reading& r, const JsonNode& post) {
  const JsonNode single = post["single"];
  QN_TRY(const json::Array* pieces, single.array());
  bool behind_text = false;
  for (std::size_t i = 0; i < pieces->size(); ++i) {
    const JsonNode piece = single.element(i);
    if (!piece["Sequence"].is_null()) {
      behind_text = true;
      continue;
    }
    QN_TRY(const TokenId id, template_token(r, post, piece["SpecialToken"]));
    bool& flag = behind_text ? r.spec.add_eos : r.spec.add_bos;
    if (flag) return unknown_kind(piece, "a second special token on one side");
    flag = true;
    (behind_text ? r.spec.eos : r.spec.bos) = id;
  }
  return {};
}

Status read_post_processor(Reading& r, const JsonNode& node) {
  return for_each_stage(node, "processors", [&](const JsonNode& stage, std::string_view kind) -> Status {
    if (kind == "ByteLevel") return {};  // moves offsets only
    if (kind == "TemplateProcessing") return read_template(r, stage);
    return unknown_kind(stage, kind);
  });
}

Status read_decoder(Reading& r, const JsonNode& node) {
  return for_each_stage(node, "decoders", [&](const JsonNode& stage, std::string_view kind) -> Status {
    if (kind == "ByteLevel") {
      r.byte_level = true;
      return {};
    }
    // What SentencePiece's decoding is made of; the tokenizer does it as one.
    for (const std::string_view known : {"Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"})
      if (kind == known) return {};
    return unknown_kind(stage, kind);
  });
}

// A token that tokenizer_config.json names: a string, or an object with "content".
TokenId named_token(const Reading& r, const JsonNode& node) {
  const auto name = node.text_if_any() ? node.text_if_any() : node["content"].text_if_any();
  if (!name) return -1;
  for (const AddedToken& token : r.spec.added)
    if (token.text == *name) return token.id;
  const auto place = std::find(r.spec.tokens.begin(), r.spec.tokens.end(), *name);
  return place == r.spec.tokens.end() ? -1 : static_cast<TokenId>(place - r.spec.tokens.begin());
}

Status read_config(Reading& r, const JsonNode& config, bool post_processor_decides) {
  QN_OK(config.object());
  const TokenId eos = named_token(r, config["eos_token"]);
  if (r.spec.bos < 0) r.spec.bos = named_token(r, config["bos_token"]);
  if (r.spec.eos < 0) r.spec.eos = eos;
  if (r.spec.unknown < 0) r.spec.unknown = named_token(r, config["unk_token"]);
  r.spec.padding = named_token(r, config["pad_token"]);
  if (eos >= 0 && eos != r.spec.eos) r.spec.end_of_turn.push_back(eos);
  if (post_processor_decides) return {};
  QN_TRY(r.spec.add_bos, config["add_bos_token"].boolean(false));
  QN_TRY(r.spec.add_eos, config["add_eos_token"].boolean(false));
  return {};
}

void choose_pre_split(Reading& r) {
  r.spec.pre_split = family_of(r.patterns);
  if (r.spec.pre_split == PreSplit::patterns) r.spec.patterns = std::move(r.patterns);
}

}  // namespace

Result<VocabSpec> read_tokenizer_json(std::string_view tokenizer, std::string_view config) {
  QN_TRY(const json::Value root, json::parse(tokenizer, limits));
  const JsonNode file(root, "tokenizer.json");
  QN_OK(file.object());
  Reading r;
  const json::Array* added = nullptr;
  if (!file["added_tokens"].is_null()) {
    QN_TRY(added, file["added_tokens"].array());
  }
  QN_OK(read_normalizer(r, file["normalizer"]));
  QN_OK(read_pre_tokenizer(r, file["pre_tokenizer"]));
  QN_OK(read_decoder(r, file["decoder"]));
  QN_OK(read_model(r, file["model"], added == nullptr ? 0 : added->size()));
  QN_OK(read_added(r, file["added_tokens"], r.spec.tokens.size()));
  QN_OK(read_post_processor(r, file["post_processor"]));
  if (!config.empty()) {
    QN_TRY(const json::Value config_root, json::parse(config, limits));
    QN_OK(read_config(r, JsonNode(config_root, "tokenizer_config.json"), !file["post_processor"].is_null()));
  }
  if (r.byte_level == r.space_marks)
    return fail(Code::unsupported, "tokenizer.json: {} ByteLevel {} U+2581 for spaces; {}", r.byte_level ? "both" : "neither",
                r.byte_level ? "and" : "nor", convert);
  if (r.space_marks && !r.patterns.empty()) return unknown_kind(file["pre_tokenizer"], "Split beside U+2581 for spaces");
  r.spec.kind = r.byte_level ? VocabKind::byte_level_bpe : VocabKind::sentencepiece_bpe;
  choose_pre_split(r);
  std::vector<TokenId> ends = find_turn_ends(r.spec);
  for (const TokenId id : r.spec.end_of_turn)
    if (!std::count(ends.begin(), ends.end(), id)) ends.push_back(id);
  r.spec.end_of_turn = std::move(ends);
  return std::move(r.spec);
}

}  // namespace qn::text
