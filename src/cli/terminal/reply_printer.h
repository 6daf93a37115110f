// ReplyPrinter: a streamed reply on a terminal or in a file. Thinking stands between "Thinking..." and "...done thinking.", dimmed where
// there are colours. On a terminal, text is wrapped and made safe; elsewhere it is written as it comes.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "cli/terminal/word_wrap.h"

namespace qn::cli {

struct ReplyStyle {
  bool terminal = false;
  bool colour = false;
  bool hide_thinking = false;
  int columns = 0;  // to wrap at; 0: no wrapping
};

class ReplyPrinter {
 public:
  ReplyPrinter(std::FILE* out, const ReplyStyle& style) : out_(out), style_(style), wrap_(style.columns) {}

  void thinking(std::string_view text);
  void content(std::string_view text);
  // Ends the line if it is not ended, and the dimming if the reply was cut inside its thinking.
  void finish();

 private:
  enum class Part { none, thinking, content };
  void write(std::string_view text);
  void end_line();
  void leave_thinking();

  std::FILE* out_;
  ReplyStyle style_;
  WordWrap wrap_;
  Part part_ = Part::none;
  bool line_open_ = false;
};

}  // namespace qn::cli
