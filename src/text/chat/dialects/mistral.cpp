// Mistral. Until tokenizer v7: [TOOL_CALLS] [{"name": "f", "arguments": {…}, "id": "a1B2c3D4e"}, …]. From v11 on, once for each call:
// [TOOL_CALLS]f[ARGS]{…}, in between also [TOOL_CALLS]f[CALL_ID]a1B2c3D4e[ARGS]{…} and [TOOL_CALLS]f{…}. Magistral thinks in [THINK].
//   source   github.com/mistralai/mistral-common, tokens/tokenizers/instruct.py; the models' chat templates
#include <algorithm>

#include "text/chat/dialects/entry.h"

namespace qn::text {
namespace {

using enum Step::Kind;

constexpr std::string_view mark = "[TOOL_CALLS]";

Dialect make(const TemplateFacts& facts) {
  Dialect dialect{.name = "mistral",
                  .forms = {{.trigger = mark,
                             .open = {{text, mark}, {space}, {text, "["}},
                             .call = {{space}, {object, "arguments"}},
                             .between = {{space}, {text, ","}},
                             .close = {{space}, {text, "]"}}},
                            {.trigger = mark, .open = {{text, mark}}, .call = {{name}, {text, "[ARGS]"}, {space}, {arguments}}},
                            {.trigger = mark,
                             .open = {{text, mark}},
                             .call = {{name}, {text, "[CALL_ID]"}, {id}, {text, "[ARGS]"}, {space}, {arguments}}},
                            {.trigger = mark, .open = {{text, mark}}, .call = {{name}, {arguments}}}},
                  .ids = CallIds::nine_alphanumeric};
  if (facts.writes("[ARGS]") || (facts.source.empty() && facts.has_token("[ARGS]"))) std::swap(dialect.forms[0], dialect.forms[1]);
  return dialect;
}

}  // namespace

extern const DialectEntry dialect_mistral;
const DialectEntry dialect_mistral = {"mistral", [](const TemplateFacts& facts) { return facts.writes(mark); }, make};

}  // namespace qn::text
