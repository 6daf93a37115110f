// ReplyParser: a model's text, as it streams, to thinking, content and tool calls.
// Invariant: the parts, put together, do not depend on how the text is cut; no text is lost, and none makes an error: what is no
// well-formed call of a known function stays content.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat/dialect.h"

namespace qn::text {

struct ReplyPart {
  enum class Kind {
    thinking,
    content,
    call_begin,      // text: the function's name; id is set
    call_arguments,  // text: a piece of the arguments; all pieces of a call together are one JSON object
    call_end,
    call_broken,  // in place of call_end: the call went wrong after it had begun. Whoever has shown nothing of it forgets it, and takes
                  // text, all that the model wrote of it, for content
  };
  Kind kind;
  std::string text = {};
  int call = 0;  // 0, 1, 2 … in this reply
  std::string id = {};
};

struct ReplyForm {
  std::vector<Tool> tools = {};  // none: no call is looked for
  ToolChoice choice = {};
  Calls calls = Calls::many;
  bool split_thinking = true;   // false: tags stay in the content
  std::uint64_t call_seed = 0;  // ids of calls are made from it
};

class ReplyParser {
 public:
  //   prompt   the rendered prompt: if it ends in an open thinking tag, the reply begins inside
  ReplyParser(Dialect dialect, std::string_view prompt, ReplyForm form);
  ReplyParser(ReplyParser&&) noexcept;
  ReplyParser& operator=(ReplyParser&&) noexcept;
  ~ReplyParser();

  //   text     the reply's next characters, the dialect's marks spelled out
  std::vector<ReplyPart> push(std::string_view text);  // holds back what may be the beginning of a mark
  std::vector<ReplyPart> finish();

  bool thinking() const;  // inside a thought
  bool done() const;      // Calls::one and the call is over: nothing that follows would be shown, so generating may stop
  int calls() const;      // that have ended well
  const std::vector<std::string>& warnings() const;  // one for each thing that looked like a call and was none

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace qn::text
