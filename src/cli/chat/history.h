// History: the last lines typed at the prompt, kept in a file of the state directory.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qn::cli {

class History {
 public:
  //   path   empty: nothing is read or written. A file that cannot be read is an empty history.
  explicit History(std::filesystem::path path);

  const std::vector<std::string>& lines() const { return lines_; }  // oldest first, at most 100

  // Adds a line and writes the file; empty lines and repetitions of the last one are left out.
  void add(std::string_view line);

 private:
  std::filesystem::path path_;
  std::vector<std::string> lines_;
};

}  // namespace qn::cli
