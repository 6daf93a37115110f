// Replies read by the parser and shown as one line, for the tests of dialects.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/chat/reply_parser.h"

namespace qn::text {

// Templates with just the marks that a dialect is known by.
inline Dialect dialect_of(std::string_view template_source) {
  return find_dialect(template_source, [](std::string_view) { return false; });
}
inline const std::string_view hermes_marks = "<tool_call></tool_call>", coder_marks = "<tool_call><function=x><parameter=y>",
                              llama3_marks = "<|python_tag|>", mistral_marks = "[TOOL_CALLS]", mistral_v11_marks = "[TOOL_CALLS][ARGS]",
                              deepseek_v3_marks = "<｜tool▁calls▁begin｜>```json", deepseek_v31_marks = "<｜tool▁calls▁begin｜>";

inline std::vector<Tool> sample_tools() {
  const auto schema = json::parse(R"({"type": "object", "properties": {
    "city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}, "where": {"type": "object"},
    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "share": {"$ref": "#/$defs/part"}, "unit": {"enum": ["C", "F"]}},
    "$defs": {"part": {"type": "number"}}})");
  return {{"get_weather", *schema}, {"get_time", nullptr}};
}

// thinking as T(…), content as C(…), a call as name(arguments), a broken one as BROKEN(…)
inline std::string shown(const std::vector<ReplyPart>& parts) {
  std::string out;
  ReplyPart::Kind before = ReplyPart::Kind::call_end;
  bool any_arguments = false;
  for (const ReplyPart& part : parts) {
    const bool goes_on = part.kind == before;
    switch (part.kind) {
      case ReplyPart::Kind::thinking:
      case ReplyPart::Kind::content:
        if (goes_on) out.pop_back();
        out += (goes_on ? "" : part.kind == ReplyPart::Kind::thinking ? "T(" : "C(") + part.text + ")";
        break;
      case ReplyPart::Kind::call_begin:
        out += std::to_string(part.call) + part.text + "(";
        any_arguments = false;
        break;
      case ReplyPart::Kind::call_arguments:
        out += part.text;
        any_arguments = true;
        break;
      case ReplyPart::Kind::call_end: out += any_arguments ? ")" : "NO ARGUMENTS)"; break;
      case ReplyPart::Kind::call_broken: out += " BROKEN(" + part.text + ")"; break;
    }
    before = part.kind;
  }
  return out;
}

struct Reading {
  std::string prompt = {};
  ReplyForm form = {.tools = sample_tools()};
};

// Reads a reply in pieces that end at `cuts`.
inline std::string read_reply(const Dialect& dialect, std::string_view reply, const Reading& how = {},
                              const std::vector<std::size_t>& cuts = {}) {
  ReplyParser parser(dialect, how.prompt, how.form);
  std::vector<ReplyPart> all;
  const auto take = [&all](std::vector<ReplyPart> parts) { all.insert(all.end(), parts.begin(), parts.end()); };
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    take(parser.push(reply.substr(at, cut - at)));
    at = cut;
  }
  take(parser.push(reply.substr(at)));
  take(parser.finish());
  return shown(all);
}

// Whole, byte by byte and cut in two at every place: the same parts, or the words that say where not.
inline std::string read_every_way(const Dialect& dialect, std::string_view reply, const Reading& how = {}) {
  const std::string whole = read_reply(dialect, reply, how);
  std::vector<std::size_t> everywhere;
  for (std::size_t at = 0; at <= reply.size(); ++at) {
    everywhere.push_back(at);
    if (const std::string cut = read_reply(dialect, reply, how, {at}); cut != whole)
      return "cut at " + std::to_string(at) + ": " + cut + " in place of " + whole;
  }
  if (const std::string bytes = read_reply(dialect, reply, how, everywhere); bytes != whole)
    return "byte by byte: " + bytes + " in place of " + whole;
  return whole;
}

}  // namespace qn::text
