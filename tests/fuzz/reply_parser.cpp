// A reply: the first byte chooses the dialect, the second where the text is cut. However it is cut, the parts are the same; arguments of
// calls that end well are JSON objects; and without tools nothing is lost.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "text/chat/reply_parser.h"

namespace {

using qn::text::ReplyPart;

struct Read {
  std::string thinking, content, calls;
  bool operator==(const Read&) const = default;
};

Read read(const qn::text::Dialect& dialect, qn::text::ReplyForm form, std::string_view reply, std::size_t piece_bytes) {
  qn::text::ReplyParser parser(dialect, "", std::move(form));
  Read out;
  std::string arguments;
  const auto take = [&](const std::vector<ReplyPart>& parts) {
    for (const ReplyPart& part : parts) {
      switch (part.kind) {
        case ReplyPart::Kind::thinking: out.thinking += part.text; break;
        case ReplyPart::Kind::content: out.content += part.text; break;
        case ReplyPart::Kind::call_begin:
          out.calls += part.id + part.text;
          arguments.clear();
          break;
        case ReplyPart::Kind::call_arguments: arguments += part.text; break;
        case ReplyPart::Kind::call_end: {
          // What this project's own reader refuses beyond the grammar of JSON: keys that come twice, halves of surrogate pairs.
          const auto parsed = qn::json::parse(arguments);
          const bool refused = !parsed && (parsed.error().message.find("twice") != std::string::npos ||
                                           arguments.find("\\u") != std::string::npos || !qn::utf8::is_valid(arguments));
          QN_CHECK(refused || (parsed && parsed->is_object()), "arguments are an object");
          out.calls += arguments + ";";
          break;
        }
        case ReplyPart::Kind::call_broken: out.calls += arguments + "!" + part.text + ";"; break;
      }
    }
  };
  for (std::size_t at = 0; at < reply.size(); at += piece_bytes) take(parser.push(reply.substr(at, piece_bytes)));
  take(parser.finish());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array<std::string_view, 7> templates = {
      "<tool_call>",        "<tool_call><function=<parameter=", "<|python_tag|>",        "[TOOL_CALLS]",
      "[TOOL_CALLS][ARGS]", "<｜tool▁calls▁begin｜>```json",    "<｜tool▁calls▁begin｜>"};
  if (size < 2) return 0;
  const qn::text::Dialect dialect = qn::text::find_dialect(templates[data[0] % templates.size()], [](std::string_view) { return false; });
  const std::string_view reply(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto schema =
      qn::json::parse(R"({"properties": {"s": {"type": "string"}, "i": {"type": "integer"}, "o": {"type": ["object", "null"]}}})");
  const qn::text::ReplyForm form{.tools = {{"f", *schema}, {"g"}}};
  QN_CHECK(read(dialect, form, reply, reply.size() + 1) == read(dialect, form, reply, 1 + data[1] % 16), "cuts do not matter");
  const Read plain = read(dialect, {.split_thinking = false}, reply, 1 + data[1] % 16);
  QN_CHECK(plain.content == reply && plain.calls.empty(), "text without tools is itself");
  return 0;
}
