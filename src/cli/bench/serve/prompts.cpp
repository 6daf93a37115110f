#include "cli/bench/serve/prompts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>

#include "base/random.h"

namespace qn::cli {
namespace {

// One token each, with the blank before it, in the vocabularies of large models.
constexpr std::string_view words[] = {
    "time",   "year",    "people", "way",    "day",   "man",   "thing",  "woman", "life",   "child",  "world", "school", "state",
    "family", "student", "group",  "hand",   "part",  "place", "case",   "week",  "work",   "fact",   "month", "night",  "point",
    "home",   "water",   "room",   "mother", "area",  "money", "story",  "right", "study",  "book",   "eye",   "job",    "word",
    "house",  "service", "friend", "father", "power", "hour",  "game",   "line",  "end",    "city",   "name",  "team",   "minute",
    "idea",   "body",    "back",   "parent", "face",  "level", "office", "door",  "health", "person", "art",   "war"};

}  // namespace

int TokenRate::words_for(int tokens) const {
  return std::max(1, static_cast<int>(std::lround((tokens - fixed) / per_word)));
}

std::string random_words(int count, std::uint64_t seed, std::uint64_t stream) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    const auto drawn = philox(seed, static_cast<std::uint64_t>(i), stream);
    if (i > 0) text += ' ';
    text += words[drawn[0] % std::size(words)];
  }
  return text;
}

}  // namespace qn::cli
