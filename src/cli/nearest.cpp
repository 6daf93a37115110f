#include "cli/nearest.h"

#include <algorithm>
#include <vector>

#include "base/result.h"

namespace qn::cli {

int edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<int> before(width), previous(width), current(width);
  for (std::size_t j = 0; j < width; ++j) previous[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = static_cast<int>(i);
    for (std::size_t j = 1; j < width; ++j) {
      const int replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::optional<std::string_view> nearest(std::string_view typed, std::span<const std::string_view> known) {
  // A word of a hostile length is nobody's typing error, and the table is quadratic.
  if (typed.size() > 64) return std::nullopt;
  std::optional<std::string_view> best;
  int best_distance = 0;
  for (std::string_view word : known) {
    const int allowed = std::max<int>(1, static_cast<int>(std::max(typed.size(), word.size())) / 3);
    int distance = edit_distance(typed, word);
    if (typed.size() >= 4 && word.starts_with(typed)) distance = std::min(distance, 1);
    if (distance <= allowed && (!best || distance < best_distance)) {
      best = word;
      best_distance = distance;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known) {
  const auto word = nearest(typed, known);
  return word ? fmt::format("; did you mean {}?", *word) : std::string();
}

}  // namespace qn::cli
