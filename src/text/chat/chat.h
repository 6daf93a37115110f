// Chat: messages to a prompt through the model's own template, and a model's text back to thinking and content.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/chat/dialect.h"
#include "text/template/template.h"

namespace qn::text {

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text
};

struct Message {
  std::string role;  // system, user, assistant, tool
  std::string content;
  std::string reasoning = {};
  std::vector<ToolCall> tool_calls = {};
  std::string tool_call_id = {};
  std::string name = {};                // of the function, where role is tool; found by tool_call_id if empty
  std::vector<std::string> parts = {};  // the content where it came as several texts; then `content` is not looked at
};

struct Chat {
  std::vector<Message> messages;
  std::optional<json::Array> tools = {};  // as OpenAI's "tools"
  std::optional<bool> think = {};         // none: the template's default
  json::Object template_arguments = {};   // further top-level names; `enable_thinking` and `thinking` here go before `think`
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // the last message is the assistant's, and stays open
};

struct ChatTokens {  // texts of special tokens that templates print
  std::string bos, eos;
};

// What a template can do, as found by rendering small chats with it.
struct TemplateCapabilities {
  bool system = true;               // shows a system message
  bool tools = false;               // shows tools, and the dialect can read calls
  bool thinking = false;            // the model thinks, or may
  bool think_switch = false;        // it heeds enable_thinking or thinking
  bool text_parts = false;          // content may be a list of texts: they are then joined as the model knows it
  bool text_only_in_parts = false;  // content has to be such a list
  CallIds ids = CallIds::prefixed;  // what it takes for an id of a call
  ThinkTags think = {"<think>", "</think>"};
};
TemplateCapabilities template_capabilities(const Template& form, std::string_view source, const Dialect& dialect, const ChatTokens& tokens);

// The prompt for the model, special tokens spelled out; encode it with Specials::parse and without another BOS.
// Tools' messages are tied to their calls; think = false closes the thought that a template without a switch opens; with
// continue_final_message the prompt ends where the last message does.
//   errors   bad_input: what the template says of this chat, or that there is no message to continue
Result<std::string> render_chat(const Template& form, const Chat& chat, const ChatTokens& tokens, std::tm now,
                                const TemplateCapabilities& capabilities = {});

// Gives a tool's message the name of the function that its id belongs to (the newest call of that id), or the id of the call that it
// answers, by name and else by order; and every call an id of the given kind, where templates insist on one.
void tie_tool_messages(std::vector<Message>& messages, CallIds ids);

// Splits a reply, as it streams, into thinking and content. The opening <think> may have been in the prompt.
class ThinkSplitter {
 public:
  struct Parts {
    std::string thinking, content;
  };
  // prompt   the rendered prompt: if it ends in an open <think>, the reply begins inside
  explicit ThinkSplitter(std::string_view prompt, std::string open = "<think>", std::string close = "</think>");
  Parts push(std::string_view text);  // holds back what may be the beginning of a tag
  Parts finish();
  bool inside() const { return inside_; }

 private:
  std::string open_, close_, held_;
  bool inside_ = false;
  bool at_start_ = true;    // of the reply: only white space so far, so an opening tag still counts
  bool trim_next_ = false;  // line ends right after a tag belong to the tag
};

}  // namespace qn::text
