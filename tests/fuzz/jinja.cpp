// Any text as a template, parsed and rendered over a small chat with small limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "text/template/template.h"

namespace {

constexpr std::string_view variables_text = R"({
  "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "你好 <b>\n"},
               {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, 2.5, null, true]}}}]}],
  "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
  "s": "Hello, wörld", "n": 7, "x": -2.5, "l": [3, 1, 2], "d": {"a": 1, "b": [1]}, "bos_token": "<s>", "add_generation_prompt": true
})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const qn::json::Value variables = *qn::json::parse(variables_text);
  qn::text::TemplateLimits limits;
  limits.source_bytes = 64 << 10;
  limits.steps = 20'000;
  limits.output_bytes = 256 << 10;
  limits.milliseconds = 500;
  limits.range = 2000;
  const auto form = qn::text::Template::parse({reinterpret_cast<const char*>(data), size}, limits);
  if (!form) return 0;
  std::tm now{};
  now.tm_year = 124, now.tm_mday = 1;
  const auto out = form->render(variables.get_object(), now);
  if (out) QN_CHECK(qn::utf8::is_valid(*out) && out->size() <= limits.output_bytes, "a template printed broken or too much text");
  return 0;
}
