// Llama 3.1 to 3.3: the reply is {"name": "f", "parameters": {…}}, bare or after <|python_tag|>; several are set apart by semicolons.
//   source   Llama 3.1 model card, "JSON based tool calling"; its chat template
#include "text/chat/dialects/entry.h"

namespace qn::text {
namespace {

using enum Step::Kind;

Dialect make(const TemplateFacts&) {
  const std::vector<Step> between = {{space}, {text, ";"}};
  const std::vector<Step> call = {{space, " "}, {object, "parameters"}};
  return {.name = "llama3",
          .forms = {{.trigger = "{", .only_at_start = true, .call = {{object, "parameters"}}, .between = between},
                    {.trigger = "<|python_tag|>", .open = {{text, "<|python_tag|>"}}, .call = call, .between = between}}};
}

}  // namespace

extern const DialectEntry dialect_llama3;
const DialectEntry dialect_llama3 = {"llama3_json llama4_json",
                                     [](const TemplateFacts& facts) {
                                       if (facts.writes("<tool_call>")) return false;
                                       return facts.writes("<|python_tag|>") ||
                                              (facts.writes("<|start_header_id|>") && facts.writes("\"parameters\""));
                                     },
                                     make};

}  // namespace qn::text
