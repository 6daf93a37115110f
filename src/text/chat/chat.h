// Chat: messages to a prompt through the model's own template, and a model's text back to thinking and content.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
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
  std::string name = {};  // of the function, where role is tool
};

struct Chat {
  std::vector<Message> messages;
  std::optional<json::Array> tools = {};  // as OpenAI's "tools"
  std::optional<bool> think = {};         // enable_thinking; none: the template's default
  json::Object template_arguments = {};   // further top-level names
  bool add_generation_prompt = true;
  bool continue_final_message = false;  // the last message is the assistant's, and stays open
};

struct ChatTokens {  // texts of special tokens that templates print
  std::string bos, eos;
};

// The prompt for the model, special tokens spelled out; encode it with Specials::parse and without another BOS.
Result<std::string> render_chat(const Template& form, const Chat& chat, const ChatTokens& tokens, std::tm now);

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
