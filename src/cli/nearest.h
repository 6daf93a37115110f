// The nearest known word to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace qn::cli {

// Fewest single-character insertions, deletions, replacements and swaps of neighbours that turn one into the other.
//   source   optimal string alignment distance, Damerau 1964
int edit_distance(std::string_view a, std::string_view b);

// The closest word, if it is close enough to be meant: within a third of its length, at least 1 edit; or a word it begins.
std::optional<std::string_view> nearest(std::string_view typed, std::span<const std::string_view> known);

// "; did you mean --temp?" or nothing.
std::string did_you_mean(std::string_view typed, std::span<const std::string_view> known);

}  // namespace qn::cli
