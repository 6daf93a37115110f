#include "cli/chat/message_assembler.h"

#include <utility>

namespace qn::cli {
namespace {

constexpr std::string_view quotes = "\"\"\"";
constexpr std::string_view set_system = "/set system ";

std::string joined(const std::string& head, const std::vector<std::string>& lines) {
  std::string text = head;
  for (std::size_t i = 0; i < lines.size(); ++i) text += (i == 0 ? "" : "\n") + lines[i];
  return text;
}

}  // namespace

void MessageAssembler::reset() {
  *this = MessageAssembler();
}

Entered MessageAssembler::close() {
  // Marks on lines of their own stand around the text and add no lines to it.
  if (quoted_ && lines_.size() > 1 && lines_.front().empty()) lines_.erase(lines_.begin());
  if (quoted_ && lines_.size() > 1 && lines_.back().empty()) lines_.pop_back();
  Entered entered{joined(head_, lines_), quoted_ && head_.empty()};
  reset();
  return entered;
}

std::optional<Entered> MessageAssembler::push(std::string_view line, Kind kind) {
  if (!open()) {
    std::string_view rest = line;
    if (rest.starts_with(set_system)) rest.remove_prefix(set_system.size());
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (rest.starts_with(quotes)) {
      quoted_ = true;
      if (line.starts_with(set_system)) head_ = set_system;
      line = rest.substr(quotes.size());
    }
  }
  const bool closing = quoted_ && line.ends_with(quotes);
  if (closing) line.remove_suffix(quotes.size());
  lines_.emplace_back(line);
  if (quoted_ ? !closing : kind == Kind::pasted) return std::nullopt;
  return close();
}

}  // namespace qn::cli
