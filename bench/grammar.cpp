// What following a grammar costs for each token: `bench_grammar TOKENIZER_JSON`. For each grammar a reply is followed token by token, as
// the tokenizer cuts it; a token's time is that of allowed() and advance(). First with node masks prepared and no state met before (the
// first request), then again (later requests). A token's figures are in microseconds of the clock, compiling and preparing in milliseconds
// of the thread.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "text/grammar/mask_cache.h"
#include "text/grammar/token_matcher.h"
#include "text/tokenizer/tokenizer_json.h"

using namespace qn;
using Clock = std::chrono::steady_clock;

namespace {

struct Case {
  const char* name;
  const char* kind;
  std::string source;
  std::string reply;
};

// Of this thread: compiling and preparing are long enough for other programs to come between.
double thread_millis() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double micros(Clock::time_point from) {
  return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
}

Result<text::SharedGrammar> compile(const Case& one) {
  text::GrammarBuilder builder;
  const std::string kind = one.kind;
  if (kind == "schema") {
    QN_TRY(const json::Value schema, json::parse(one.source));
    QN_TRY(const text::RuleId root, builder.json_schema(schema, "schema"));
    return builder.finish(root);
  }
  QN_TRY(const text::RuleId root, kind == "gbnf" ? builder.gbnf(one.source, "grammar") : builder.regex(one.source, "regex"));
  return builder.finish(root);
}

const std::string prose =
    "The mill stood at the bend of the river, and every autumn the farmers brought their grain in carts that creaked under the weight. "
    "Nobody "
    "remembered who had built it. 它在河湾处,每年秋天农民们都会把谷物运来。\\n\\\"Grind it fine,\\\" they said, and the miller nodded, "
    "because that was what "
    "they always said, and then he went inside to look at the stones.";

std::vector<Case> cases() {
  std::vector<Case> out;
  out.push_back(
      {"person", "schema",
       R"({"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string"},
                     "address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"},"zip":{"type":"string","pattern":"^[0-9]{5}$"}},
                     "required":["street","city","zip"],"additionalProperties":false},"tags":{"type":"array","items":{"type":"string"}}},
                     "required":["name","age","email","address","tags"],"additionalProperties":false})",
       R"({"name": "Ada Lovelace", "age": 36, "email": "ada@example.org", "address": {"street": "12 St James's Square", "city": "London", "zip": "12345"}, "tags": ["mathematics", "poetry", "engines and looms"]})"});
  out.push_back({"prose in a string", "schema", R"({"type":"object","properties":{"text":{"type":"string"}},"required":["text"]})",
                 "{\"text\": \"" + prose + "\"}"});
  out.push_back({"prose, maxLength 2000", "schema",
                 R"({"type":"object","properties":{"text":{"type":"string","minLength":10,"maxLength":2000}},"required":["text"]})",
                 "{\"text\": \"" + prose + "\"}"});
  out.push_back(
      {"reasoning steps", "schema",
       R"({"type":"object","properties":{"steps":{"type":"array","items":{"$ref":"#/$defs/step"}},"final_answer":{"type":"string"}},"required":["steps","final_answer"],
                     "additionalProperties":false,"$defs":{"step":{"type":"object","properties":{"explanation":{"type":"string"},"output":{"type":"string"}},
                     "required":["explanation","output"],"additionalProperties":false}}})",
       R"({"steps":[{"explanation":"Subtract 7 from both sides.","output":"8x = -30"},{"explanation":"Divide both sides by 8.","output":"x = -30/8"}],"final_answer":"x = -3.75"})"});
  out.push_back(
      {"any object", "schema", R"({"type":"object"})",
       R"({"id": 17, "ok": true, "items": [{"name": "bolt", "price": 0.25, "sizes": [1, 2, 3]}, {"name": "nut", "price": 1e-2, "sizes": []}], "note": null, "nested": {"a": {"b": {"c": "deep"}}}})"});
  out.push_back({"numbers", "schema",
                 R"({"type":"array","items":{"type":"number","minimum":-1.5,"maximum":99.5},"minItems":3,"maxItems":100})",
                 "[0.5, 1.25, 99.5, -1.5, 42, 3.14159, 17, 88.125, 0, 7.75, 12.5, 63.0625]"});
  out.push_back({"choice of 200", "schema",
                 [] {
                   std::string source = R"({"type":"object","properties":{"country":{"enum":[)";
                   for (int i = 0; i < 200; ++i)
                     source += (i > 0 ? "," : "") + ("\"Country of the number " + std::to_string(i * 7919 % 1000)) + " and " +
                               std::to_string(i) + "\"";
                   return source + R"(]}},"required":["country"]})";
                 }(),
                 R"({"country": "Country of the number 919 and 1"})"});
  out.push_back({"all optional", "schema",
                 [] {
                   std::string source = R"({"type":"object","properties":{)";
                   for (int i = 0; i < 60; ++i)
                     source += (i > 0 ? "," : "") + ("\"option_" + std::to_string(i)) + R"(":{"type":["string","null"]})";
                   return source + "}}";
                 }(),
                 R"({"option_3": "fast", "option_17": null, "option_40": "with a longer text in it", "option_59": "x"})"});
  out.push_back(
      {"date and mail", "schema",
       R"({"type":"object","properties":{"on":{"type":"string","format":"date-time"},"to":{"type":"string","format":"email"}},"required":["on","to"]})",
       R"({"on": "2026-11-20T14:30:00Z", "to": "someone.else@mail.example.org"})"});
  out.push_back({"GBNF, JSON", "gbnf",
                 "root ::= object\nvalue ::= object | array | string | number | (\"true\" | \"false\" | \"null\") ws\n"
                 "object ::= \"{\" ws ( string \":\" ws value (\",\" ws string \":\" ws value)* )? \"}\" ws\n"
                 "array ::= \"[\" ws ( value (\",\" ws value)* )? \"]\" ws\n"
                 "string ::= \"\\\"\" ( [^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" ([\"\\\\bfnrt] | \"u\" [0-9a-fA-F]{4}) )* \"\\\"\" ws\n"
                 "number ::= (\"-\"? ([0-9] | [1-9] [0-9]{0,15})) (\".\" [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws\n"
                 "ws ::= | \" \" | \"\\n\" [ \\t]{0,20}\n",
                 "{\n  \"name\": \"Ada\",\n  \"list\": [1, 2.5, {\"x\": true}],\n  \"text\": \"some words that go on for a while\"\n}"});
  out.push_back({"regex", "regex", R"(([A-Z][a-z]+ ){1,3}was born on \d{1,2}\.\d{1,2}\.\d{4}\.)", "Ada was born on 10.12.1815."});
  return out;
}

struct Times {
  double average, p99, most;
};

Times follow(const text::SharedGrammar& grammar, const text::SharedVocabulary& vocabulary, const std::vector<TokenId>& tokens) {
  text::TokenMatcher matcher(grammar, vocabulary);
  std::vector<double> times;
  double sum = 0;
  for (const TokenId token : tokens) {
    const auto from = Clock::now();
    const auto mask = matcher.allowed();
    const bool allowed = (mask[static_cast<std::size_t>(token) / 64] >> (static_cast<std::size_t>(token) % 64) & 1) != 0;
    if (!matcher.advance(token) || !allowed) std::printf("token %d is not allowed\n", token);
    times.push_back(micros(from));
    sum += times.back();
  }
  if (!matcher.may_end()) std::printf("the reply is not whole\n");
  std::sort(times.begin(), times.end());
  return {sum / static_cast<double>(times.size()), times[times.size() * 99 / 100], times.back()};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fputs("usage: bench_grammar TOKENIZER_JSON\n", stderr), 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string contents{std::istreambuf_iterator<char>(file), {}};
  auto spec = text::read_tokenizer_json(contents, "");
  if (!spec) return std::fprintf(stderr, "%s\n", spec.error().message.c_str()), 1;
  const auto tokenizer = text::Tokenizer::make(std::move(*spec));
  const double begin = thread_millis();
  const auto vocabulary = text::TokenVocabulary::make(*tokenizer, tokenizer->vocab_size());
  std::printf("%d tokens, vocabulary made in %.0f ms\n", vocabulary->size(), thread_millis() - begin);
  std::printf("%-24s %7s %8s %8s %6s | %22s | %22s\n", "", "states", "compile", "prepare", "tokens", "first: mean p99 max",
              "later: mean p99 max");
  for (const Case& one : cases()) {
    const auto fresh = text::TokenVocabulary::make(*tokenizer, tokenizer->vocab_size());
    const double before = thread_millis();
    const auto grammar = compile(one);
    const double compiled = thread_millis();
    if (!grammar) return std::fprintf(stderr, "%s: %s\n", one.name, grammar.error().message.c_str()), 1;
    fresh->prepare(**grammar, std::chrono::seconds(10));
    const double prepared = thread_millis();
    const std::vector<TokenId> tokens = tokenizer->encode(one.reply, {});
    const Times first = follow(*grammar, fresh, tokens), later = follow(*grammar, fresh, tokens);
    std::printf("%-24s %7d %6.1fms %6.1fms %6zu | %6.1f %7.1f %7.1f | %6.1f %7.1f %7.1f   cache %zu KiB\n", one.name, (*grammar)->states(),
                compiled - before, prepared - compiled, tokens.size(), first.average, first.p99, first.most, later.average, later.p99,
                later.most, fresh->masks().bytes() >> 10);
  }
}
