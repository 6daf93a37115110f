// Any text through small vocabularies of both kinds: what is encoded decodes to the same text, specials parsed or not, streamed or not.
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/tokenizer.h"

using namespace qn;
using namespace qn::text;

namespace {

Tokenizer made(VocabSpec spec) {
  auto tokenizer = Tokenizer::make(std::move(spec));
  QN_CHECK(tokenizer.has_value(), "the target's own vocabulary is sound");
  return *std::move(tokenizer);
}

void add(VocabSpec& spec, std::string text, bool special) {
  AddedToken token{.id = static_cast<TokenId>(spec.tokens.size()), .text = text};
  token.special = special;
  spec.tokens.push_back(std::move(text));
  spec.types.push_back(special ? TokenType::control : TokenType::user_defined);
  spec.scores.push_back(0);
  spec.added.push_back(std::move(token));
}

VocabSpec byte_level(PreSplit pre_split) {
  VocabSpec spec;
  spec.pre_split = pre_split;
  for (int b = 0; b < 256; ++b) {
    const char byte = static_cast<char>(b);
    spec.tokens.push_back(letters_of_bytes({&byte, 1}));
  }
  for (const auto& [left, right] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"a", "a"}, {"aa", "aa"}, {" ", "a"}, {" ", " "}, {"\n", "\n"}, {"\xe4", "\xbd"}, {"\xcc", "\x81"}, {"'", "s"}, {"1", "2"}}) {
    spec.merges.emplace_back(letters_of_bytes(left), letters_of_bytes(right));
    spec.tokens.push_back(letters_of_bytes(std::string(left) + std::string(right)));
  }
  spec.types.assign(spec.tokens.size(), TokenType::normal);
  spec.scores.assign(spec.tokens.size(), 0);
  add(spec, "<|a|>", true);
  add(spec, "<a", false);
  return spec;
}

VocabSpec sentencepiece() {
  VocabSpec spec;
  spec.kind = VocabKind::sentencepiece_bpe;
  spec.pre_split = PreSplit::none;
  for (int b = 0; b < 256; ++b) spec.tokens.push_back(fmt::format("<0x{:02X}>", b));
  spec.types.assign(256, TokenType::byte);
  for (const char* token : {"▁", "a", "▁a", "aa", "▁▁", "é", "▁▁▁▁"}) {
    spec.tokens.emplace_back(token);
    spec.types.push_back(TokenType::normal);
  }
  for (std::size_t id = 0; id < spec.tokens.size(); ++id) spec.scores.push_back(-static_cast<float>(id / 2));
  add(spec, "<|a|>", true);
  return spec;
}

std::string streamed(const Tokenizer& tokenizer, std::span<const TokenId> ids) {
  StreamDecoder decoder(tokenizer, true);
  std::string out;
  for (const TokenId id : ids) {
    const std::string part = decoder.push(id);
    QN_CHECK(utf8::is_valid(part), "no half characters");
    out += part;
  }
  return out + decoder.finish();
}

void check(const Tokenizer& tokenizer, std::string_view text) {
  const std::string repaired = utf8::replace_invalid(text);
  for (const Specials specials : {Specials::parse, Specials::as_text}) {
    const std::vector<TokenId> ids = tokenizer.encode(text, {.specials = specials});
    for (const TokenId id : ids) QN_CHECK(id >= 0 && id < tokenizer.vocab_size(), "ids lie in the vocabulary");
    QN_CHECK(streamed(tokenizer, ids) == tokenizer.decode(ids, true), "streaming changes nothing");
    if (tokenizer.spec().kind == VocabKind::byte_level_bpe)
      QN_CHECK(tokenizer.decode(ids, true) == repaired, "decoding gives the text back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokenizer tokenizers[] = {
      made(byte_level(PreSplit::gpt2)),           made(byte_level(PreSplit::qwen2)),
      made(byte_level(PreSplit::llama3)),         made(byte_level(PreSplit::deepseek_llm)),
      made(byte_level(PreSplit::deepseek_coder)), made(byte_level(PreSplit::deepseek_v3)),
      made(byte_level(PreSplit::none)),           made(sentencepiece()),
  };
  for (const Tokenizer& tokenizer : tokenizers) check(tokenizer, {reinterpret_cast<const char*>(data), size});
  return 0;
}
