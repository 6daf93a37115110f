// Thinking and content of a reply, told apart while it streams.
// Invariant: a tag counts at the beginning of the reply (the opening one) or while inside (the closing one), and nowhere else; what
// push() returns does not depend on how the text is cut into pieces.
#include <algorithm>

#include "text/chat/chat.h"

namespace qn::text {
namespace {

constexpr std::string_view space = " \t\r\n";

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// How many bytes at the end of text could be the beginning of tag.
std::size_t partial_tag(std::string_view text, std::string_view tag) {
  for (std::size_t size = std::min(text.size(), tag.size() - 1); size > 0; --size)
    if (text.substr(text.size() - size) == tag.substr(0, size)) return size;
  return 0;
}

}  // namespace

ThinkSplitter::ThinkSplitter(std::string_view prompt, std::string open, std::string close)
    : open_(std::move(open)), close_(std::move(close)) {
  const std::size_t end = prompt.find_last_not_of(space);
  const std::string_view written = end == std::string_view::npos ? std::string_view{} : prompt.substr(0, end + 1);
  inside_ = written.size() >= open_.size() && written.substr(written.size() - open_.size()) == open_;
  at_start_ = !inside_;
  trim_next_ = inside_;
}

ThinkSplitter::Parts ThinkSplitter::push(std::string_view text) {
  Parts out;
  held_ += text;
  if (at_start_) {
    const std::size_t first = held_.find_first_not_of(space);
    if (first == std::string::npos) return out;  // only white space so far
    const std::string_view rest = std::string_view(held_).substr(first);
    if (rest.size() < open_.size() && begins_with(open_, rest)) return out;
    at_start_ = false;
    if (begins_with(rest, open_)) {
      inside_ = true;
      trim_next_ = true;
      held_.erase(0, first + open_.size());
    }
  }
  while (true) {
    if (trim_next_) {
      held_.erase(0, std::min(held_.find_first_not_of("\r\n"), held_.size()));
      if (held_.empty()) return out;
      trim_next_ = false;
    }
    if (!inside_) {
      out.content += held_;
      held_.clear();
      return out;
    }
    const std::size_t close = held_.find(close_);
    if (close == std::string::npos) {
      // Line ends right before the closing tag belong to it, so they wait as well.
      std::size_t keep = partial_tag(held_, close_);
      while (keep < held_.size() && (held_[held_.size() - keep - 1] == '\n' || held_[held_.size() - keep - 1] == '\r')) ++keep;
      out.thinking += held_.substr(0, held_.size() - keep);
      held_.erase(0, held_.size() - keep);
      return out;
    }
    std::string thought = held_.substr(0, close);
    while (!thought.empty() && (thought.back() == '\n' || thought.back() == '\r')) thought.pop_back();
    out.thinking += thought;
    held_.erase(0, close + close_.size());
    inside_ = false;
    trim_next_ = true;
  }
}

ThinkSplitter::Parts ThinkSplitter::finish() {
  Parts out;
  (inside_ ? out.thinking : out.content) = std::move(held_);
  held_.clear();
  return out;
}

}  // namespace qn::text
