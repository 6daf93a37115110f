// Hermes 2 Pro, Qwen2.5, Qwen3, QwQ: <tool_call>\n{"name": "f", "arguments": {…}}\n</tool_call>, once for each call.
//   source   the chat templates of Qwen2.5 and Qwen3; github.com/NousResearch/Hermes-Function-Calling
#include "text/chat/dialects/entry.h"

namespace qn::text {
namespace {

using enum Step::Kind;

Dialect make(const TemplateFacts&) {
  return {.name = "hermes",
          .forms = {{.trigger = "<tool_call>",
                     .open = {{text, "<tool_call>"}},
                     .call = {{space, "\n"}, {object, "arguments"}},
                     .close = {{space, "\n"}, {text, "</tool_call>"}},
                     .apart = "\n"}}};
}

}  // namespace

extern const DialectEntry dialect_hermes;
const DialectEntry dialect_hermes = {
    "hermes",
    [](const TemplateFacts& facts) { return facts.writes("<tool_call>") && !facts.writes("<parameter=") && !facts.writes("<arg_key>"); },
    make};

}  // namespace qn::text
