#include "text/tokenizer/tokenizer.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "base/utf8.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/normalize.h"
#include "text/tokenizer/pre_split.h"
#include "text/tokenizer/score_merges.h"
#include "text/tokenizer/vocab_check.h"

namespace qn::text {
namespace {

constexpr std::string_view space_mark = "\u2581";  // "▁"

bool is_ascii(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::uint64_t eight; end - at >= 8; at += 8) {
    std::memcpy(&eight, at, 8);
    if ((eight & 0x8080808080808080u) != 0) return false;
  }
  return std::all_of(at, end, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string with_space_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  for (const char c : text) {
    if (c == ' ') {
      out += space_mark;
    } else {
      out += c;
    }
  }
  return out;
}

std::string with_spaces(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at, space_mark.size()) == space_mark) {
      out += ' ';
      at += space_mark.size();
    } else {
      out += text[at++];
    }
  }
  return out;
}

// The byte that "<0x0A>" stands for.
std::optional<char> byte_of_name(std::string_view token) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return std::nullopt;
  const int high = digit(token[3]), low = digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

// Whether some token has a space mark behind another character; if none has, no merge crosses the beginning of a word.
bool any_token_crosses_words(std::span<const std::string_view> tokens) {
  for (const std::string_view text : tokens) {
    for (std::size_t at = text.find(space_mark); at != std::string_view::npos; at = text.find(space_mark, at + 1))
      if (at > 0 && (at < space_mark.size() || text.substr(at - space_mark.size(), space_mark.size()) != space_mark)) return true;
  }
  return false;
}

}  // namespace

// Built in the order of its members: what follows borrows from what comes before.
struct Tokenizer::Tables {
  VocabSpec spec;
  std::vector<std::string> bytes;         // by id: what the token stands for in text; empty for unused ones
  std::vector<bool> special, ends_reply;  // by id
  std::unordered_map<std::string_view, TokenId> added_ids;
  AddedTokens added, added_normalized;        // matched before and after normalising
  std::vector<std::string_view> merge_texts;  // by id: what merging compares; empty for tokens that no merge makes
  std::optional<TokenDictionary> dictionary;
  std::optional<PairTable> pairs;
  std::unique_ptr<FirstSymbols> first_symbols;
  std::optional<Splitter> splitter;
  std::optional<Bpe> bpe;
  bool words_are_pieces = false;  // sentencepiece_bpe: cutting before each word changes nothing, and is faster

  bool is_sentencepiece() const { return spec.kind == VocabKind::sentencepiece_bpe; }
  TokenType type_of(std::size_t id) const { return spec.types.empty() ? TokenType::normal : spec.types[id]; }

  void describe_tokens();
  void collect_merge_texts();
  Status build_pairs();
  void build_symbols();
  void collect_added();

  std::string normalized(std::string_view text, bool at_start) const;

  struct Output {
    std::vector<TokenId>& ids;
    Bpe::Scratch scratch;
    PcreBudget budget;
    Specials specials;
  };
  void encode_stretch(std::string_view text, bool at_start, Output& out) const;
  void encode_normalized(std::string_view text, Output& out) const;
  void encode_words(std::string_view text, Output& out) const;
};

void Tokenizer::Tables::describe_tokens() {
  const std::size_t count = spec.tokens.size();
  special.resize(count);
  ends_reply.resize(count);
  bytes.resize(count);
  std::vector<bool> is_added(count);
  for (const AddedToken& token : spec.added) {
    const auto id = static_cast<std::size_t>(token.id);
    is_added[id] = true;
    special[id] = token.special;
    spec.tokens[id] = token.text;
  }
  for (const TokenId id : spec.end_of_turn)
    if (id >= 0) ends_reply[static_cast<std::size_t>(id)] = true;
  for (std::size_t id = 0; id < count; ++id) {
    const TokenType type = type_of(id);
    if (type == TokenType::control || (type == TokenType::unknown && is_sentencepiece())) special[id] = true;
    if (type == TokenType::unused) continue;
    const std::string& text = spec.tokens[id];
    if (is_added[id]) {
      bytes[id] = text;
    } else if (!is_sentencepiece()) {
      bytes[id] = bytes_of_letters(text).value_or(text);
    } else if (const auto byte = byte_of_name(text); byte && type == TokenType::byte) {
      bytes[id] = *byte;
    } else {
      bytes[id] = with_spaces(text);
    }
  }
}

// Byte-level tokens are compared as bytes, SentencePiece's as text with its marks. A token that has letters outside the byte alphabet,
// or that only matches as an added one, never comes out of a merge.
void Tokenizer::Tables::collect_merge_texts() {
  const std::size_t count = spec.tokens.size();
  merge_texts.resize(count);
  dictionary.emplace(count);
  const auto collect = [&](std::size_t id) {
    const std::string& text = spec.tokens[id];
    if (is_sentencepiece() ? !utf8::is_valid(text) : !bytes_of_letters(text)) return;
    merge_texts[id] = is_sentencepiece() ? std::string_view(text) : std::string_view(bytes[id]);
    if (!merge_texts[id].empty()) dictionary->set(merge_texts[id], static_cast<TokenId>(id));
  };
  std::vector<bool> is_added(count);
  for (const AddedToken& token : spec.added) is_added[static_cast<std::size_t>(token.id)] = true;
  for (std::size_t id = 0; id < count; ++id) {
    // "<0x41>" in text is a byte's name only to a list of merges that spells it; scores never make it.
    const bool may_merge = type_of(id) == TokenType::normal || (type_of(id) == TokenType::byte && !spec.merges.empty());
    if (may_merge && !is_added[id]) collect(id);
  }
  for (const auto& [left, right] : spec.merges) {
    const auto made = added_ids.find(left + right);
    if (made != added_ids.end() && dictionary->find(is_sentencepiece() ? left + right : bytes_of_letters(left + right).value_or("")) < 0)
      collect(static_cast<std::size_t>(made->second));
  }
}

Status Tokenizer::Tables::build_pairs() {
  if (is_sentencepiece() && spec.merges.empty()) {
    pairs = merges_from_scores(merge_texts, spec.scores, *dictionary);
    return {};
  }
  pairs.emplace(spec.merges.size());
  for (std::size_t rank = 0; rank < spec.merges.size(); ++rank) {
    std::string left = spec.merges[rank].first, right = spec.merges[rank].second;
    if (!is_sentencepiece()) {
      auto left_bytes = bytes_of_letters(left), right_bytes = bytes_of_letters(right);
      if (!left_bytes || !right_bytes) continue;  // letters that no text turns into
      left = std::move(*left_bytes);
      right = std::move(*right_bytes);
    }
    const TokenId left_id = dictionary->find(left), right_id = dictionary->find(right), result = dictionary->find(left + right);
    if (left_id < 0 || right_id < 0 || result < 0) {
      const std::string& missing = left_id < 0 ? left : right_id < 0 ? right : left += right;
      return fail(Code::bad_input, "merges[{}]: {} is no token of the vocabulary; correct the file", rank, quoted(missing));
    }
    pairs->set(left_id, right_id, {static_cast<std::uint32_t>(rank), result});
  }
  return {};
}

void Tokenizer::Tables::build_symbols() {
  if (is_sentencepiece()) {
    auto characters = std::make_unique<CharacterSymbols>(*dictionary, spec.unknown);
    characters->fuse_unknown = spec.fuse_unknown;
    for (std::size_t id = 0; id < spec.tokens.size(); ++id) {
      const auto byte = type_of(id) == TokenType::byte ? byte_of_name(spec.tokens[id]) : std::nullopt;
      if (byte) characters->set(static_cast<unsigned char>(*byte), static_cast<TokenId>(id));
    }
    first_symbols = std::move(characters);
  } else {
    auto single_bytes = std::make_unique<ByteSymbols>();
    for (int b = 0; b < 256; ++b) {
      const char byte = static_cast<char>(b);
      single_bytes->set(static_cast<unsigned char>(b), dictionary->find({&byte, 1}));
    }
    first_symbols = std::move(single_bytes);
  }
}

void Tokenizer::Tables::collect_added() {
  for (const AddedToken& token : spec.added) {
    if (token.normalized) {
      added_normalized.add(token, normalized(token.text, true));
    } else {
      added.add(token, token.text);
    }
  }
}

// What the model's normaliser makes of a stretch of text between two added tokens.
std::string Tokenizer::Tables::normalized(std::string_view text, bool at_start) const {
  std::string out = spec.nfc && may_need_nfc(text) ? nfc(text) : std::string(text);
  if (!is_sentencepiece()) return out;
  out = with_space_marks(out);
  const bool there = std::string_view(out).substr(0, space_mark.size()) == space_mark;
  const bool wanted = spec.space_prefix == SpacePrefix::always || (!there && (spec.space_prefix == SpacePrefix::unless_there || at_start));
  if (spec.add_space_prefix && wanted && !out.empty()) out.insert(0, space_mark);
  return out;
}

void Tokenizer::Tables::encode_stretch(std::string_view text, bool at_start, Output& out) const {
  if (!is_sentencepiece() && (!spec.nfc || !may_need_nfc(text))) {
    encode_normalized(text, out);  // English: nothing to normalise, nothing to copy
  } else {
    encode_normalized(normalized(text, at_start), out);
  }
}

void Tokenizer::Tables::encode_normalized(std::string_view text, Output& out) const {
  added_normalized.split(
      text, out.specials,
      [&](std::string_view between) {
        if (is_sentencepiece()) {
          encode_words(between, out);
        } else {
          splitter->split(between, out.budget, [&](std::string_view piece) { bpe->encode(piece, out.scratch, out.ids); });
        }
      },
      [&](TokenId id) { out.ids.push_back(id); });
}

void Tokenizer::Tables::encode_words(std::string_view text, Output& out) const {
  while (!text.empty()) {
    std::size_t end = text.size();
    if (spec.split_at_spaces) {
      end = std::min(end, text.find(space_mark, 1));
    } else if (words_are_pieces) {
      const auto is_mark_before = [&](std::size_t at) {
        return at >= space_mark.size() && text.substr(at - space_mark.size()).starts_with(space_mark);
      };
      end = text.find(space_mark, 1);
      while (end != std::string_view::npos && is_mark_before(end)) end = text.find(space_mark, end + space_mark.size());
      end = std::min(end, text.size());
    }
    bpe->encode(text.substr(0, end), out.scratch, out.ids);
    text.remove_prefix(end);
  }
}

Result<Tokenizer> Tokenizer::make(VocabSpec spec) {
  QN_OK(check_vocab(spec));
  auto tables = std::make_unique<Tables>();
  tables->spec = std::move(spec);
  for (const AddedToken& token : tables->spec.added) tables->added_ids.emplace(token.text, token.id);
  tables->describe_tokens();
  tables->collect_merge_texts();
  QN_OK(tables->build_pairs());
  tables->build_symbols();
  const VocabSpec& s = tables->spec;
  QN_TRY(Splitter splitter, Splitter::make(s.pre_split == PreSplit::patterns ? s.patterns : patterns_of(s.pre_split)));
  tables->splitter = std::move(splitter);
  tables->bpe.emplace(*tables->pairs, *tables->dictionary, *tables->first_symbols, s.tokens.size(), s.ignore_merges);
  tables->words_are_pieces = tables->is_sentencepiece() && !any_token_crosses_words(tables->merge_texts);
  tables->collect_added();
  tables->spec.merges = {};
  return Tokenizer(std::move(tables));
}

Tokenizer::Tokenizer(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

std::vector<TokenId> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const VocabSpec& s = tables_->spec;
  std::string repaired;
  if (!is_ascii(text) && !utf8::is_valid(text)) text = repaired = utf8::replace_invalid(text);
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 4 + 8);
  if (options.add_bos && s.add_bos && s.bos >= 0) ids.push_back(s.bos);
  Tables::Output out{ids, {}, PcreBudget(text.size()), options.specials};
  tables_->added.split(
      text, options.specials, [&](std::string_view between) { tables_->encode_stretch(between, between.data() == text.data(), out); },
      [&](TokenId id) { ids.push_back(id); });
  if (options.add_eos && s.add_eos && s.eos >= 0) ids.push_back(s.eos);
  return ids;
}

int Tokenizer::vocab_size() const {
  return static_cast<int>(tables_->spec.tokens.size());
}
const VocabSpec& Tokenizer::spec() const {
  return tables_->spec;
}

bool Tokenizer::is_special(TokenId id) const {
  return id >= 0 && id < vocab_size() && tables_->special[static_cast<std::size_t>(id)];
}
bool Tokenizer::ends_reply(TokenId id) const {
  return id >= 0 && id < vocab_size() && tables_->ends_reply[static_cast<std::size_t>(id)];
}

TokenId Tokenizer::find(std::string_view added_token_text) const {
  const auto found = tables_->added_ids.find(added_token_text);
  return found == tables_->added_ids.end() ? -1 : found->second;
}

std::string_view Tokenizer::bytes_of(TokenId id) const {
  if (id < 0 || id >= vocab_size() || tables_->special[static_cast<std::size_t>(id)]) return {};
  return tables_->bytes[static_cast<std::size_t>(id)];
}

std::string_view Tokenizer::special_text(TokenId id) const {
  return is_special(id) ? std::string_view(tables_->spec.tokens[static_cast<std::size_t>(id)]) : std::string_view();
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool with_specials) const {
  StreamDecoder decoder(*this, with_specials);
  std::string out;
  for (const TokenId id : ids) out += decoder.push(id);
  return out += decoder.finish();
}

}  // namespace qn::text
