#include "cli/chat/history.h"

#include "cli/state_files.h"

namespace qn::cli {
namespace {

constexpr std::size_t most_lines = 100;
constexpr std::size_t most_bytes = std::size_t{4} << 20;

}  // namespace

History::History(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const Result<std::string> text = read_small_file(path_, most_bytes);
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) lines_.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines_.size() > most_lines) lines_.erase(lines_.begin(), lines_.end() - static_cast<std::ptrdiff_t>(most_lines));
}

void History::add(std::string_view line) {
  if (line.empty() || line.find('\n') != std::string_view::npos || (!lines_.empty() && lines_.back() == line)) return;
  lines_.emplace_back(line);
  if (lines_.size() > most_lines) lines_.erase(lines_.begin());
  if (path_.empty()) return;
  std::string text;
  for (const std::string& kept : lines_) text += kept + "\n";
  // A history that cannot be kept is no reason to stop a chat.
  (void)replace_file(path_, text);
}

}  // namespace qn::cli
