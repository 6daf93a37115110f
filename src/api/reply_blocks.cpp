#include "api/reply_blocks.h"

#include <utility>

namespace qn::api {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

void ReplyBlocks::push(const text::ReplyPart& part, std::string& out) {
  using Kind = text::ReplyPart::Kind;
  switch (part.kind) {
    case Kind::thinking:
      if (open_ != Block::thinking) enter(Block::thinking, part, out);
      writer_.more(Block::thinking, part.text, out);
      break;
    case Kind::content:
      blank_ += part.text;
      if (is_blank(part.text)) break;
      if (open_ != Block::text) enter(Block::text, part, out);
      writer_.more(Block::text, std::exchange(blank_, {}), out);
      break;
    case Kind::call_begin: enter(Block::call, part, out); break;
    case Kind::call_arguments: writer_.more(Block::call, part.text, out); break;
    case Kind::call_end:
    case Kind::call_broken: leave(out); break;
  }
}

void ReplyBlocks::finish(std::string& out) {
  if (!any_ && !blank_.empty()) enter(Block::text, {}, out);
  if (open_ == Block::text && !blank_.empty()) writer_.more(Block::text, std::exchange(blank_, {}), out);
  leave(out);
}

void ReplyBlocks::enter(Block block, const text::ReplyPart& begin, std::string& out) {
  leave(out);
  if (block != Block::text) blank_.clear();
  open_ = block;
  any_ = true;
  writer_.open(block, begin, out);
}

void ReplyBlocks::leave(std::string& out) {
  if (const std::optional<Block> left = std::exchange(open_, std::nullopt)) writer_.close(*left, out);
}

}  // namespace qn::api
