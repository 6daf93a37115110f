// ReplyRequest: what is asked of a model, in whatever dialect it was asked. Everything is plain; the session turns it into tokens.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "serve/parameters.h"
#include "text/chat/chat.h"
#include "text/chat/dialect.h"

namespace qn::serve {

// What a reply must look like, once its thinking is over.
struct AnyJsonObject {};
struct JsonSchema {
  json::Value schema;
};
struct Regex {
  std::string pattern;
};
struct Gbnf {  // llama.cpp's grammars
  std::string text;
};
struct OneOf {
  std::vector<std::string> texts;
};
using Form = std::variant<std::monostate, AnyJsonObject, JsonSchema, Regex, Gbnf, OneOf>;

// What is done with a prompt that does not fit the window.
enum class Overflow {
  refuse,
  drop_oldest,  // of a chat: messages, but neither the system's nor the last; of text: tokens from the front
};

struct RawText {
  std::string text;
  bool add_bos = true;  // as far as the vocabulary says so
};

// Texts and tokens, one after the other. The first text gets a BOS as RawText does, if nothing is before it.
struct RawParts {
  std::vector<std::variant<std::string, TokenId>> parts;
};

// The reply is what stands between two texts (serve/fill_in.h).
struct FillIn {
  struct File {
    std::string name, text;
  };
  std::vector<File> files = {};  // others of the same repository
  std::string prefix, suffix;
  std::string prompt = {};  // the reply's beginning
};

struct ReplyRequest {
  text::Chat chat;
  std::variant<std::monostate, RawText, std::vector<TokenId>, RawParts, FillIn>
      raw_prompt;         // in place of the chat; the reply is not split then
  Parameters parameters;  // what the user set; the rest comes from the model
  Parameters fallback;    // for what the model is silent on too

  text::ToolChoice tool_choice;
  text::Calls calls = text::Calls::many;
  Form form;
  std::string form_field;              // what the request calls it, for messages
  std::optional<int> thinking_budget;  // tokens; then the thinking is closed

  bool ignore_end_of_turn = false;
  int min_tokens = 0;
  std::vector<TokenId> stop_tokens;  // beside those that end a turn
  bool show_stop = false;            // the stop string that was met ends the content
  bool show_special_tokens = false;  // spelled out in the content
  std::vector<engine::LogitBias> logit_bias;
  std::vector<std::pair<std::string, float>> text_bias;  // the same for every token of a text
  std::vector<std::string> dry_breakers;
  std::vector<TokenId> allowed_tokens;    // none: all
  std::vector<std::string> banned_words;  // none of these texts is written
  std::optional<int> top_logprobs;        // of each token of the reply
  std::optional<int> prompt_logprobs;     // of each token of the prompt
  int draft_tokens = 0;                   // speculation: most tokens guessed from the text so far
  Overflow overflow = Overflow::refuse;
  std::uint64_t tenant = 0;  // who asks: fair order
  std::string cache_salt;    // computed prefixes are shared among equal tenants with equal salts
  int priority = 0;          // lower goes first

  // Called when next() has something, on a thread of the engine: it returns at once.
  std::function<void()> wake;
};

}  // namespace qn::serve
