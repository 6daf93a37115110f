// A family that writes calls as @@name{…}@@.
#include "text/chat/dialects/entry.h"

namespace qn::text {
namespace {

using enum Step::Kind;

Dialect make(const TemplateFacts&) {
  return {.name = "toy", .forms = {{.trigger = "@@", .open = {{text, "@@"}}, .call = {{name}, {arguments}}, .close = {{text, "@@"}}}}};
}

}  // namespace

extern const DialectEntry dialect_toy;
const DialectEntry dialect_toy = {"toy", [](const TemplateFacts& facts) { return facts.writes("@@"); }, make};

}  // namespace qn::text
