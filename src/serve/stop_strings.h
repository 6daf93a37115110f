// StopStrings: cuts a streamed reply at the first text that is to end it. What may be the beginning of such a text is held back, so no
// part of it is ever shown, however it is split over tokens.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qn::serve {

class StopStrings {
 public:
  explicit StopStrings(std::vector<std::string> texts);  // empty ones count for nothing

  // Text that may be shown now. Once stopped() is true, nothing more comes.
  std::string push(std::string_view text);
  // What was held back, at the end of a reply that met no stop.
  std::string finish();

  bool stopped() const { return stopped_; }
  const std::string& met() const { return met_; }  // the text that stopped it

 private:
  std::vector<std::string> texts_;
  std::string held_;
  std::string met_;
  bool stopped_ = false;
};

}  // namespace qn::serve
