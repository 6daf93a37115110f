// DeepSeek, whose marks have full-width bars and lower one eighth blocks. V3 and R1 write a kind and a fenced block,
// <｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{…}\n```<｜tool▁call▁end｜>; V3.1 writes
// <｜tool▁call▁begin｜>f<｜tool▁sep｜>{…}<｜tool▁call▁end｜>.
//   source   the chat templates of DeepSeek-R1 and DeepSeek-V3.1
#include <algorithm>

#include "text/chat/dialects/entry.h"

namespace qn::text {
namespace {

using enum Step::Kind;

constexpr std::string_view calls_begin = "<｜tool▁calls▁begin｜>", calls_end = "<｜tool▁calls▁end｜>";
constexpr std::string_view call_begin = "<｜tool▁call▁begin｜>", call_end = "<｜tool▁call▁end｜>", separator = "<｜tool▁sep｜>";

CallForm around(std::vector<Step> call, std::string_view between) {
  return {.trigger = calls_begin,
          .open = {{text, calls_begin}, {space}, {text, call_begin}},
          .call = std::move(call),
          .between = {{space, between}, {text, call_begin}},
          .close = {{space}, {text, calls_end}}};
}

Dialect make(const TemplateFacts& facts) {
  Dialect dialect{.name = "deepseek",
                  .forms = {around({{text, "function"},
                                    {text, separator},
                                    {name},
                                    {text, "\n```json\n"},
                                    {arguments},
                                    {space, "\n"},
                                    {text, "```"},
                                    {text, call_end}},
                                   "\n"),
                            around({{name}, {text, separator}, {space}, {arguments}, {space}, {text, call_end}}, "")}};
  if (!facts.writes("```json")) std::swap(dialect.forms[0], dialect.forms[1]);
  return dialect;
}

}  // namespace

extern const DialectEntry dialect_deepseek;
const DialectEntry dialect_deepseek = {"deepseek_v3 deepseek_v31", [](const TemplateFacts& facts) { return facts.writes(calls_begin); },
                                       make};

}  // namespace qn::text
