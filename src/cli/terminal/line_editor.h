// LineEditor: one line from a terminal, edited in UTF-8, with history. libedit does the editing; this file is its only door.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qn::cli {

class LineEditor {
 public:
  enum class End {
    line,         // Enter
    pasted_line,  // a line end inside pasted text: the message goes on
    interrupted,  // Ctrl-C (needs an Interrupt to be alive); text is what had been typed
    closed,       // Ctrl-D on an empty line, or the end of the input
  };
  struct Line {
    End end;
    std::string text;  // without the line end
  };

  //   errors   internal: the terminal cannot be used
  static Result<std::unique_ptr<LineEditor>> make(std::FILE* in, std::FILE* out, std::FILE* err);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // The placeholder is shown dimmed while the line is empty.
  Line read(std::string_view prompt, std::string_view placeholder);

  // Makes a line reachable with the arrow keys.
  void remember(std::string_view line);

  struct State;

 private:
  explicit LineEditor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qn::cli
