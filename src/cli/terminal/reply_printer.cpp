#include "cli/terminal/reply_printer.h"

#include "cli/terminal/safe_text.h"

namespace qn::cli {
namespace {

constexpr std::string_view dim = "\x1b[2m", plain = "\x1b[0m";

}  // namespace

void ReplyPrinter::write(std::string_view text) {
  if (text.empty()) return;
  const std::string shown = style_.terminal ? wrap_.push(without_controls(text)) : std::string(text);
  std::fwrite(shown.data(), 1, shown.size(), out_);
  line_open_ = text.back() != '\n';
}

void ReplyPrinter::end_line() {
  if (line_open_) write("\n");
}

void ReplyPrinter::thinking(std::string_view text) {
  if (style_.hide_thinking || text.empty()) return;
  if (part_ != Part::thinking) {
    end_line();
    if (style_.colour) std::fwrite(dim.data(), 1, dim.size(), out_);
    write("Thinking...\n");
    part_ = Part::thinking;
    while (text.starts_with('\n')) text.remove_prefix(1);
  }
  write(text);
  std::fflush(out_);
}

void ReplyPrinter::leave_thinking() {
  end_line();
  write("...done thinking.\n");
  if (style_.colour) std::fwrite(plain.data(), 1, plain.size(), out_);
  write("\n");
}

void ReplyPrinter::content(std::string_view text) {
  if (text.empty()) return;
  if (part_ == Part::thinking) leave_thinking();
  part_ = Part::content;
  write(text);
  std::fflush(out_);
}

void ReplyPrinter::finish() {
  if (part_ == Part::thinking && style_.colour) std::fwrite(plain.data(), 1, plain.size(), out_);
  end_line();
  part_ = Part::none;
  std::fflush(out_);
}

}  // namespace qn::cli
