// Grammars for the Python oracle: `oracle_grammar FILE`, FILE being a tokenizer.json or "-" for a vocabulary of the 256 bytes.
// Standard input is lines of JSON, and so is the answer to each:
//   {"kind": "schema" | "gbnf" | "regex", "source": …, "texts": […], "walks": n, "seed": s}
//   {"accepted": [true, …], "walks": ["…"], "states": n} or {"error": "…", "code": "bad_input" | "unsupported" | "too_large"}
// A walk chooses token by token among what the masks allow, leaning towards the end, so that it comes to one.
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "base/json.h"
#include "text/grammar/token_matcher.h"
#include "text/tokenizer/byte_alphabet.h"
#include "text/tokenizer/tokenizer_json.h"

using namespace qn;

namespace {

Result<text::Tokenizer> load(const std::string& path) {
  if (path == "-") {
    text::VocabSpec spec;
    spec.pre_split = text::PreSplit::none;
    for (int b = 0; b < 256; ++b) {
      const char byte = static_cast<char>(b);
      spec.tokens.push_back(text::letters_of_bytes({&byte, 1}));
    }
    spec.tokens.push_back("<|end|>");
    spec.types.assign(257, text::TokenType::normal);
    spec.types.back() = text::TokenType::control;
    text::AddedToken end{.id = 256, .text = "<|end|>"};
    end.special = true;
    spec.added.push_back(end);
    spec.end_of_turn = {256};
    return text::Tokenizer::make(std::move(spec));
  }
  std::ifstream file(path, std::ios::binary);
  const std::string contents{std::istreambuf_iterator<char>(file), {}};
  QN_TRY(text::VocabSpec spec, text::read_tokenizer_json(contents, ""));
  for (const text::AddedToken& added : spec.added)
    if (added.text == "<|im_end|>" || added.text == "<|endoftext|>") spec.end_of_turn.push_back(added.id);
  return text::Tokenizer::make(std::move(spec));
}

Result<text::SharedGrammar> compile(const json::Object& request) {
  text::GrammarBuilder builder;
  const json::Value& source = request.at("source");
  const std::string kind(request.at("kind").as_string());
  Result<text::RuleId> root = kind == "schema" ? builder.json_schema(source, "schema")
                              : kind == "gbnf" ? builder.gbnf(source.as_string(), "grammar")
                                               : builder.regex(source.as_string(), "regex");
  if (!root) return tl::unexpected<Error>(root.error());
  return builder.finish(*root);
}

// Every token is as likely as another, but those that begin with what closes something count often.
std::string walk(const text::SharedGrammar& grammar, const text::SharedVocabulary& vocabulary, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  text::TokenMatcher matcher(grammar, vocabulary);
  const text::Tokenizer& tokenizer = vocabulary->tokenizer();
  std::string out;
  for (int step = 0; step < 1500 && !matcher.must_end(); ++step) {
    std::vector<TokenId> forced = matcher.forced();
    if (random() % 2 == 0) forced.clear();
    if (forced.empty()) {
      const auto mask = matcher.allowed();
      const auto is_allowed = [&](std::size_t t) { return (mask[t / 64] >> (t % 64) & 1) != 0; };
      const bool close = random() % (step < 40 ? 8 : 2) == 0;
      // Where many are allowed one is soon found; where few are, all are looked at.
      for (int attempt = 0; attempt < 50 && !close && forced.empty(); ++attempt)
        if (const std::size_t t = random() % (mask.size() * 64); is_allowed(t)) forced.push_back(static_cast<TokenId>(t));
      std::vector<TokenId> allowed, closing;
      for (std::size_t t = 0; t < mask.size() * 64 && forced.empty(); ++t) {
        if (!is_allowed(t)) continue;
        const auto token = static_cast<TokenId>(t);
        allowed.push_back(token);
        const std::string_view bytes = tokenizer.bytes_of(token);
        if (tokenizer.ends_reply(token) || (bytes.size() < 3 && bytes.find_first_of("\"]}") != std::string_view::npos))
          closing.push_back(token);
      }
      const std::vector<TokenId>& among = close && !closing.empty() ? closing : allowed;
      if (forced.empty() && among.empty()) return out + "<no token allowed>";
      if (forced.empty()) forced.push_back(among[random() % among.size()]);
    }
    for (const TokenId token : forced) {
      if (!matcher.advance(token)) return out + "<a token that was allowed is refused>";
      if (matcher.ended()) return out;
      out += tokenizer.bytes_of(token);
    }
  }
  return matcher.may_end() ? out : "<unfinished>";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: oracle_grammar FILE\n", stderr), 2;
  const auto tokenizer = load(argv[1]);
  if (!tokenizer) return std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str()), 1;
  const auto vocabulary = text::TokenVocabulary::make(*tokenizer, tokenizer->vocab_size());
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = json::parse(line);
    if (!request) return std::fprintf(stderr, "%s\n", request.error().message.c_str()), 1;
    json::Object answer;
    const auto grammar = compile(request->get_object());
    if (!grammar) {
      answer["error"] = grammar.error().message;
      answer["code"] = grammar.error().code == Code::bad_input   ? "bad_input"
                       : grammar.error().code == Code::too_large ? "too_large"
                                                                 : "unsupported";
    } else {
      json::Array accepted, walks;
      for (const json::Value& text : request->at("texts").as_array()) {
        text::TokenMatcher matcher(*grammar, vocabulary);
        accepted.push_back(matcher.advance_bytes(text.as_string()) && matcher.may_end());
      }
      const std::uint64_t seed = request->at("seed").to_number<std::uint64_t>();
      for (std::uint64_t i = 0; i < request->at("walks").to_number<std::uint64_t>(); ++i)
        walks.push_back(json::Value(walk(*grammar, vocabulary, seed * 1000 + i)));
      answer["accepted"] = std::move(accepted);
      answer["walks"] = std::move(walks);
      answer["states"] = (*grammar)->states();
    }
    std::cout << json::print(answer) << '\n' << std::flush;
  }
}
