// ReplyBlocks: the parts of a reply as blocks that follow each other: a thought, a text, a call of a tool. Anthropic's content and the
// items of OpenAI's responses are such blocks.
// Invariant: a block is closed before the next one opens, and no block holds nothing but white space, unless the reply has no other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/chat/reply_parser.h"

namespace qn::api {

class ReplyBlocks {
 public:
  enum class Block { thinking, text, call };
  class Writer {
   public:
    virtual ~Writer() = default;
    //   begin   of a call: its name and id
    virtual void open(Block block, const text::ReplyPart& begin, std::string& out) = 0;
    virtual void more(Block block, std::string_view text, std::string& out) = 0;
    virtual void close(Block block, std::string& out) = 0;
  };

  explicit ReplyBlocks(Writer& writer) : writer_(writer) {}
  void push(const text::ReplyPart& part, std::string& out);
  void finish(std::string& out);

 private:
  void enter(Block block, const text::ReplyPart& begin, std::string& out);
  void leave(std::string& out);

  Writer& writer_;
  std::optional<Block> open_;
  bool any_ = false;
  std::string blank_;  // white space that may yet belong to a text
};

// Whether a text is nothing but white space.
bool is_blank(std::string_view text);

}  // namespace qn::api
