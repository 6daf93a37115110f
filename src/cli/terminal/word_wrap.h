// WordWrap: streamed text broken between words. A word is shown as it comes; when it turns out too long for the line, it is taken
// back with cursor movements and written again on the next line. Wide characters (CJK) may break anywhere but before closing marks.
#pragma once

#include <string>
#include <string_view>

namespace qn::cli {

class WordWrap {
 public:
  //   columns   of the terminal; below 20, text passes unchanged
  explicit WordWrap(int columns);

  // What to write to the terminal for this piece: text without control characters, whole characters.
  std::string push(std::string_view text);

  bool at_line_start() const { return line_columns_ == 0; }

 private:
  void put(char32_t c, std::string_view bytes, std::string& out);
  void break_line(std::string& out);

  int limit_ = 0;         // columns a line may take; 0: no wrapping
  int hard_limit_ = 0;    // columns there are
  int line_columns_ = 0;  // used on this line
  std::string word_;      // the word at the end of this line, as written
  int word_columns_ = 0;
};

}  // namespace qn::cli
