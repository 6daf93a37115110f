// Dialect: how one family of models writes thinking and tool calls. Found from the model's own template, so no flag is needed.
// A dialect is data: a list of forms, each a list of steps. The parser reads a reply by them, and the grammar that a forced call must
// follow is made from them, so the two cannot disagree. One file a dialect, in dialects/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace qn::text {

struct Tool {  // a function that the model may call
  std::string name;
  json::Value parameters = nullptr;  // JSON Schema of the arguments; null if none was given
};

// Reads OpenAI's "tools": [{"type": "function", "function": {"name", "parameters", …}}]; the inner object alone is taken too.
//   errors   bad_input: tools[i] and what is wrong with it
Result<std::vector<Tool>> read_tools(const json::Array& tools);

struct ToolChoice {
  enum class Kind {
    none,       // no call is looked for: what looks like one is text
    automatic,  // the model decides; a call that it begins follows the schema
    required,   // the reply is calls
    named,      // the reply is calls of `name`
  };
  Kind kind = Kind::automatic;
  std::string name = {};
};

enum class Calls { one, many };  // in one reply (parallel_tool_calls)

struct ThinkTags {
  std::string_view open, close;
};

struct Step {
  enum class Kind {
    text,        // exactly `text`
    space,       // any white space, or none; a grammar writes `text`
    name,        // the function's name, up to where the next step begins
    id,          // the call's id, likewise
    arguments,   // a JSON object
    object,      // a JSON object that has the name under "name" and the arguments under `text`, or under one of their other names
    parameters,  // <parameter=key>\nvalue\n</parameter> … up to and with </function>; values typed by the tool's schema
  };
  Kind kind;
  std::string_view text = {};
};

// A run of calls in a reply: open, call, (between, call)*, close. Each list ends with a step that knows its own end, which is none of
// space, name and id; only `call` holds other steps than text and space. A step `text` is one mark of the model, or words between marks.
struct CallForm {
  std::string_view trigger;    // the text it begins with, first of `open` and `call`
  bool only_at_start = false;  // of the content; elsewhere the trigger is text
  std::vector<Step> open = {};
  std::vector<Step> call;
  std::vector<Step> between = {};  // empty: one call in each run
  std::vector<Step> close = {};
  std::string_view apart = {};  // what the model writes between two runs of one call each
};

enum class CallIds {
  prefixed,           // call_ and eight of [a-z0-9]
  nine_alphanumeric,  // what Mistral's templates insist on, in requests too
};

struct Dialect {
  std::string_view name;
  std::vector<CallForm> forms = {};  // tried in this order; a grammar writes the first. Empty: no tools
  CallIds ids = CallIds::prefixed;
  ThinkTags think = {"<think>", "</think>"};

  bool has_tools() const { return !forms.empty(); }
  // Every mark of this dialect. Some are special tokens, which a decoder hides: spell these out in the text given to a ReplyParser.
  std::vector<std::string_view> marks() const;
};

// The dialect of a template; `plain`, which has no tools, if it writes calls in no way known here.
//   has_token   whether the vocabulary has an added token of this text
Dialect find_dialect(std::string_view template_source, const std::function<bool(std::string_view)>& has_token);

// By the names that vLLM's --tool-call-parser takes: hermes, qwen3_coder, qwen3_xml, llama3_json, mistral, deepseek_v3, deepseek_v31; and
// plain. The template still says which variant and which thinking tags.
Result<Dialect> dialect_named(std::string_view name, std::string_view template_source,
                              const std::function<bool(std::string_view)>& has_token);

// An id for a call, from a random number.
std::string make_call_id(CallIds ids, std::uint64_t random);

}  // namespace qn::text
