// MessageAssembler: lines at the prompt, put together to messages. `"""` begins a message over several lines and `"""` at a line end
// closes it; the lines of pasted text are one message; `/set system """` works the same way.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qn::cli {

struct Entered {
  std::string text;
  bool quoted = false;  // came between `"""`: never a command
};

class MessageAssembler {
 public:
  enum class Kind { typed, pasted };  // pasted: a line end inside pasted text, more follows

  // A message, or nothing yet.
  std::optional<Entered> push(std::string_view line, Kind kind);

  bool open() const { return !lines_.empty(); }
  void reset();

 private:
  Entered close();

  std::string head_;  // "/set system " where that is what the lines are for
  std::vector<std::string> lines_;
  bool quoted_ = false;
};

}  // namespace qn::cli
