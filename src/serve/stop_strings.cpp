#include "serve/stop_strings.h"

#include <algorithm>
#include <utility>

namespace qn::serve {

StopStrings::StopStrings(std::vector<std::string> texts) : texts_(std::move(texts)) {
  std::erase_if(texts_, [](const std::string& text) { return text.empty(); });
}

std::string StopStrings::push(std::string_view text) {
  if (stopped_) return {};
  held_ += text;
  std::size_t stop_at = std::string::npos;
  for (const std::string& stop : texts_) {
    const std::size_t at = held_.find(stop);
    if (at >= stop_at) continue;
    stop_at = at;
    met_ = stop;
  }
  if (stop_at != std::string::npos) {
    stopped_ = true;
    std::string shown = held_.substr(0, stop_at);
    held_.clear();
    return shown;
  }
  // Held back: the longest end of the text that is a beginning of a stop.
  std::size_t keep = 0;
  for (const std::string& stop : texts_)
    for (std::size_t length = std::min(stop.size() - 1, held_.size()); length > keep; --length)
      if (std::string_view(held_).ends_with(std::string_view(stop).substr(0, length))) keep = length;
  std::string shown = held_.substr(0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return shown;
}

std::string StopStrings::finish() {
  return stopped_ ? std::string() : std::exchange(held_, {});
}

}  // namespace qn::serve
