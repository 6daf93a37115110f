// Qwen3-Coder: <tool_call>\n<function=f>\n<parameter=key>\nvalue\n</parameter>\n</function>\n</tool_call>. Values are plain text; the
// tool's schema says which are strings. The model sometimes leaves <tool_call> out.
//   source   the chat template of Qwen3-Coder-30B-A3B-Instruct
#include "text/chat/dialects/entry.h"

namespace qn::text {
namespace {

using enum Step::Kind;

Dialect make(const TemplateFacts&) {
  return {.name = "qwen3_coder",
          .forms = {{.trigger = "<tool_call>",
                     .open = {{text, "<tool_call>"}},
                     .call = {{space, "\n"}, {text, "<function="}, {name}, {text, ">"}, {parameters}},
                     .close = {{space, "\n"}, {text, "</tool_call>"}},
                     .apart = "\n"},
                    {.trigger = "<function=", .call = {{text, "<function="}, {name}, {text, ">"}, {parameters}}}}};
}

}  // namespace

extern const DialectEntry dialect_qwen3_coder;
const DialectEntry dialect_qwen3_coder = {
    "qwen3_coder qwen3_xml", [](const TemplateFacts& facts) { return facts.writes("<function=") && facts.writes("<parameter="); }, make};

}  // namespace qn::text
