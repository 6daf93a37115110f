// Small vocabularies and random text for the tokenizer's tests.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::text::samples {

using MergeList = std::vector<std::pair<std::string, std::string>>;

// Ids 0 to 255 are the bytes; then what each merge of the list makes, in order. The list is written in bytes, not in their letters.
inline VocabSpec byte_level(const MergeList& merges, PreSplit pre_split = PreSplit::none) {
  VocabSpec spec;
  spec.kind = VocabKind::byte_level_bpe;
  spec.pre_split = pre_split;
  for (int b = 0; b < 256; ++b) {
    const char byte = static_cast<char>(b);
    spec.tokens.push_back(letters_of_bytes({&byte, 1}));
  }
  for (const auto& [left, right] : merges) {
    spec.merges.emplace_back(letters_of_bytes(left), letters_of_bytes(right));
    const std::string result = letters_of_bytes(left + right);
    if (std::find(spec.tokens.begin(), spec.tokens.end(), result) == spec.tokens.end()) spec.tokens.push_back(result);
  }
  spec.types.assign(spec.tokens.size(), TokenType::normal);
  return spec;
}

inline TokenId add(VocabSpec& spec, const std::string& text, bool special) {
  const auto id = static_cast<TokenId>(spec.tokens.size());
  spec.tokens.push_back(text);
  spec.types.push_back(special ? TokenType::control : TokenType::user_defined);
  if (!spec.scores.empty()) spec.scores.push_back(0);
  AddedToken token{.id = id, .text = text};
  token.special = special;
  spec.added.push_back(token);
  return id;
}

// <unk> <s> </s>, the 256 bytes, then the given tokens, the first with the highest score.
inline VocabSpec sentencepiece(const std::vector<std::string>& tokens) {
  VocabSpec spec;
  spec.kind = VocabKind::sentencepiece_bpe;
  spec.pre_split = PreSplit::none;
  spec.tokens = {"<unk>", "<s>", "</s>"};
  spec.types = {TokenType::unknown, TokenType::control, TokenType::control};
  for (int b = 0; b < 256; ++b) {
    spec.tokens.push_back(fmt::format("<0x{:02X}>", b));
    spec.types.push_back(TokenType::byte);
  }
  for (const std::string& token : tokens) {
    spec.tokens.push_back(token);
    spec.types.push_back(TokenType::normal);
  }
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) spec.scores.push_back(-static_cast<float>(id));
  for (TokenId id : {0, 1, 2}) {
    AddedToken token{.id = id, .text = spec.tokens[static_cast<std::size_t>(id)]};
    token.special = true;
    spec.added.push_back(token);
  }
  spec.unknown = 0;
  spec.bos = 1;
  spec.eos = 2;
  spec.add_bos = true;
  return spec;
}

// What `ids` are in words, with "|" between, for tests that a reader can check.
inline std::string shown(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::string out;
  for (const TokenId id : ids) {
    if (!out.empty()) out += '|';
    out += tokenizer.is_special(id) ? tokenizer.special_text(id) : tokenizer.bytes_of(id);
  }
  return out;
}

// Text of characters that Unicode 13 knows, so that every library agrees about them, chosen for what patterns care about.
inline std::string random_text(std::mt19937_64& random, std::size_t characters) {
  static constexpr std::pair<char32_t, char32_t> ranges[] = {
      {0x20, 0x7E},       {0x20, 0x7E},       {'a', 'z'},         {'A', 'Z'},       {'0', '9'},       {0, 0x1F},        {0xA0, 0xFF},
      {0x100, 0x24F},     {0x300, 0x34E},     {0x391, 0x3A1},     {0x400, 0x44F},   {0x5D0, 0x5EA},   {0x627, 0x64A},   {0x660, 0x669},
      {0x905, 0x939},     {0x93E, 0x94D},     {0xE01, 0xE3A},     {0x1100, 0x1112}, {0x2000, 0x200F}, {0x2018, 0x201F}, {0x2028, 0x202F},
      {0x2070, 0x2071},   {0x20A0, 0x20BF},   {0x2150, 0x218B},   {0x2190, 0x21FF}, {0x2460, 0x24FF}, {0x3000, 0x3003}, {0x3041, 0x3096},
      {0x30A1, 0x30FA},   {0x4E00, 0x4E80},   {0x9F90, 0x9FB0},   {0xAC00, 0xAC20}, {0xD790, 0xD7A3}, {0xFF01, 0xFF5E}, {0x10400, 0x10420},
      {0x1D7CE, 0x1D7FF}, {0x1F600, 0x1F640}, {0x20000, 0x20010},
  };
  static constexpr std::string_view common[] = {" ",   " ",       "\n",     "\r\n",   "\t", "  ", "'s", "'S",
                                                "'ll", "'\u017f", "\u00a0", "\u3000", "'",  "x",  "1"};
  std::string out;
  for (std::size_t i = 0; i < characters; ++i) {
    if (random() % 3 == 0) {
      out += common[random() % std::size(common)];
    } else {
      const auto [first, last] = ranges[random() % std::size(ranges)];
      const auto repeat = random() % 4 == 0 ? random() % 5 : 1;
      for (std::uint64_t k = 0; k < repeat; ++k) utf8::append(out, first + static_cast<char32_t>(random() % (last - first + 1)));
    }
  }
  return out;
}

}  // namespace qn::text::samples
