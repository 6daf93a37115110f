// What a template can do is asked of the template itself: small chats with words that occur nowhere else are rendered, and looked for.
#include "text/chat/chat.h"

namespace qn::text {
namespace {

constexpr const char* asked = "qn-asked";

class Probe {
 public:
  Probe(const Template& form, const ChatTokens& tokens) : form_(form), tokens_(tokens) {}

  // The rendered chat; empty if the template refuses it.
  std::string operator()(const Chat& chat, const TemplateCapabilities& capabilities = {}) const {
    std::tm now{};
    now.tm_year = 124, now.tm_mday = 1;
    return render_chat(form_, chat, tokens_, now, capabilities).value_or("");
  }

 private:
  const Template& form_;
  const ChatTokens& tokens_;
};

bool shows(const std::string& prompt, std::string_view word) {
  return prompt.find(word) != std::string::npos;
}

json::Array probe_tools() {
  const json::Object parameters{{"type", "object"},
                                {"properties", json::Object{{"x", json::Object{{"type", "string"}, {"description", "a"}}}}},
                                {"required", json::Array{"x"}}};
  return {json::Object{{"type", "function"},
                       {"function", json::Object{{"name", "qn_probe"}, {"description", "does"}, {"parameters", parameters}}}}};
}

}  // namespace

TemplateCapabilities template_capabilities(const Template& form, std::string_view source, const Dialect& dialect,
                                           const ChatTokens& tokens) {
  const Probe probe(form, tokens);
  TemplateCapabilities out{.ids = dialect.ids, .think = dialect.think};
  const Chat plain{.messages = {{"user", asked}}};

  const Message two_parts{.role = "user", .content = {}, .parts = {"qn-first", "qn-second"}};
  const std::string in_parts = probe({.messages = {two_parts}}, {.text_parts = true});
  out.text_parts =
      shows(in_parts, "qn-first") && shows(in_parts, "qn-second") && !shows(in_parts, "'text'") && !shows(in_parts, "\"text\"");
  out.text_only_in_parts = out.text_parts && !shows(probe(plain), asked);

  const std::string with_system = probe({.messages = {{"system", "qn-told"}, {"user", asked}}}, out);
  out.system = shows(with_system, "qn-told") && shows(with_system, asked);

  Chat with_tools = plain;
  with_tools.tools = probe_tools();
  out.tools = dialect.has_tools() && shows(probe(with_tools, out), "qn_probe");

  Chat on = plain, off = plain;
  on.template_arguments = {{"enable_thinking", true}, {"thinking", true}};
  off.template_arguments = {{"enable_thinking", false}, {"thinking", false}};
  const std::string thinking = probe(on, out);
  out.think_switch = thinking != probe(off, out);
  out.thinking = out.think_switch || source.find(dialect.think.close) != std::string_view::npos || shows(thinking, dialect.think.open);
  return out;
}

}  // namespace qn::text
