#include "text/tokenizer/added_tokens.h"

#include <algorithm>

#include "text/tokenizer/unicode.h"

namespace qn::text {
namespace {

// The character that ends right before `at`, and where it begins.
std::size_t character_before(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

CharInfo info_at(std::string_view text, std::size_t at) {
  return CharTable::get()[front(text.data() + at).value];
}

bool is_space_at(std::string_view text, std::size_t at) {
  return info_at(text, at).char_class() == CharClass::space;
}

}  // namespace

void AddedTokens::add(const AddedToken& token, std::string_view as_matched) {
  if (as_matched.empty()) return;
  std::uint32_t node = 0;
  for (const char c : as_matched) {
    const auto byte = static_cast<unsigned char>(c);
    auto& children = nodes_[node].children;
    auto place =
        std::lower_bound(children.begin(), children.end(), byte, [](const auto& child, unsigned char b) { return child.first < b; });
    if (place == children.end() || place->first != byte) {
      const auto child = static_cast<std::uint32_t>(nodes_.size());
      children.insert(place, {byte, child});
      nodes_.emplace_back();
      node = child;
    } else {
      node = place->second;
    }
  }
  starts_[static_cast<unsigned char>(as_matched[0])] = true;
  nodes_[node].token = static_cast<std::int32_t>(tokens_.size());
  tokens_.push_back({token.id, token.special, token.strip_left, token.strip_right, token.single_word});
}

bool AddedTokens::next(std::string_view text, std::size_t at, Found& found) const {
  for (; at < text.size(); ++at) {
    if (!starts_[static_cast<unsigned char>(text[at])]) continue;
    std::int32_t longest = -1;
    std::size_t end = at;
    std::uint32_t node = 0;
    for (std::size_t i = at; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const auto& children = nodes_[node].children;
      const auto place =
          std::lower_bound(children.begin(), children.end(), byte, [](const auto& c, unsigned char b) { return c.first < b; });
      if (place == children.end() || place->first != byte) break;
      node = place->second;
      if (nodes_[node].token >= 0) {
        longest = nodes_[node].token;
        end = i + 1;
      }
    }
    if (longest < 0) continue;
    found = {at, end, &tokens_[static_cast<std::size_t>(longest)]};
    return true;
  }
  return false;
}

bool AddedTokens::counts(std::string_view text, const Rules& rules, Specials specials, std::size_t done, std::size_t& begin,
                         std::size_t& end) {
  if (rules.special && specials == Specials::as_text) return false;
  if (rules.single_word) {
    if (begin > 0 && info_at(text, character_before(text, begin)).is(CharInfo::word)) return false;
    if (end < text.size() && info_at(text, end).is(CharInfo::word)) return false;
  }
  if (rules.strip_left) {
    for (std::size_t before = begin; before > done && is_space_at(text, before = character_before(text, before));) begin = before;
  }
  if (rules.strip_right) {
    while (end < text.size() && is_space_at(text, end)) end += front(text.data() + end).bytes;
  }
  return true;
}

}  // namespace qn::text
