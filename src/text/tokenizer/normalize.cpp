#include "text/tokenizer/normalize.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "base/utf8.h"
#include "text/tokenizer/unicode.h"

namespace qn::text {
namespace {

// Hangul syllables are composed by arithmetic (Unicode 15.0, section 3.12).
constexpr char32_t syllables = 0xAC00, leads = 0x1100, vowels = 0x1161, trails = 0x11A7;
constexpr char32_t lead_count = 19, vowel_count = 21, trail_count = 28;

std::uint64_t pair_key(char32_t a, char32_t b) {
  return std::uint64_t{a} << 32 | b;
}

// Primary composites, and every character that NFC has to look at.
class Compositions {
 public:
  static const Compositions& get() {
    static const Compositions table;
    return table;
  }

  char32_t compose(char32_t a, char32_t b) const {  // 0 where they do not combine
    if (a >= leads && a < leads + lead_count && b >= vowels && b < vowels + vowel_count)
      return syllables + ((a - leads) * vowel_count + (b - vowels)) * trail_count;
    if (a >= syllables && a < syllables + lead_count * vowel_count * trail_count && (a - syllables) % trail_count == 0 && b > trails &&
        b < trails + trail_count)
      return a + (b - trails);
    const auto found = pairs_.find(pair_key(a, b));
    return found == pairs_.end() ? 0 : found->second;
  }

  bool is_inert(char32_t c) const {
    if (c < 0x300) return true;
    if (combining_class(c) != 0) return false;
    if ((c >= vowels && c < vowels + vowel_count) || (c > trails && c < trails + trail_count)) return false;
    return !std::binary_search(look_.begin(), look_.end(), c);
  }

 private:
  struct Decomposed {
    char32_t c;
    int count;
    std::array<char32_t, 4> parts;
  };

  Compositions() {
    std::vector<Decomposed> all;
    for (char32_t c = 0xC0; c < 0x2FA20; ++c) {
      if (c == syllables) c = syllables + lead_count * vowel_count * trail_count;
      Decomposed d{c, 0, {}};
      d.count = decompose(c, d.parts);
      if (d.count > 1 || d.parts[0] != c) all.push_back(d);
    }
    // Shorter ones first: a longer one is its own beginning, composed, and one character more.
    std::stable_sort(all.begin(), all.end(), [](const Decomposed& a, const Decomposed& b) { return a.count < b.count; });
    for (const Decomposed& d : all) {
      const bool composes = d.count > 1 && !excluded_from_composition(d.c) && combining_class(d.c) == 0 && combining_class(d.parts[0]) == 0;
      if (!composes) {
        look_.push_back(d.c);
        continue;
      }
      char32_t first = d.parts[0];
      for (int i = 1; i + 1 < d.count; ++i) first = compose(first, d.parts[static_cast<std::size_t>(i)]);
      const char32_t second = d.parts[static_cast<std::size_t>(d.count - 1)];
      // Of two characters with one decomposition the later stands for the earlier, as U+212B does for U+00C5.
      const bool primary = pairs_.emplace(pair_key(first, second), d.c).second;
      look_.push_back(primary ? second : d.c);
    }
    std::sort(look_.begin(), look_.end());
    look_.erase(std::unique(look_.begin(), look_.end()), look_.end());
  }

  std::unordered_map<std::uint64_t, char32_t> pairs_;
  std::vector<char32_t> look_;  // never stands in NFC text, or may combine with what comes before it; sorted
};

struct Part {
  char32_t c;
  int combining;
};

// One starter and the marks behind it, or marks at the beginning of the text; composed and written out.
class Cluster {
 public:
  void add(Part part) { parts_.push_back(part); }
  bool empty() const { return parts_.empty(); }

  // Leaves a composed starter behind: the next starter may still combine with it (Hangul, and a few Indic vowels).
  void close(const Compositions& table) {
    const std::size_t first_mark = parts_[0].combining == 0 ? 1 : 0;
    std::stable_sort(parts_.begin() + static_cast<std::ptrdiff_t>(first_mark), parts_.end(),
                     [](const Part& a, const Part& b) { return a.combining < b.combining; });
    if (first_mark == 0) return;
    int last_kept = 0;
    std::size_t kept = 1;
    for (std::size_t i = 1; i < parts_.size(); ++i) {
      const bool blocked = kept > 1 && last_kept >= parts_[i].combining;
      const char32_t whole = blocked ? 0 : table.compose(parts_[0].c, parts_[i].c);
      if (whole != 0) {
        parts_[0].c = whole;
      } else {
        last_kept = parts_[i].combining;
        parts_[kept++] = parts_[i];
      }
    }
    parts_.resize(kept);
  }

  bool absorbs(char32_t starter, const Compositions& table) {
    if (parts_.size() != 1 || parts_[0].combining != 0) return false;
    const char32_t whole = table.compose(parts_[0].c, starter);
    if (whole != 0) parts_[0].c = whole;
    return whole != 0;
  }

  void write(std::string& out) {
    for (const Part& part : parts_) utf8::append(out, part.c);
    parts_.clear();
  }

 private:
  std::vector<Part> parts_;
};

}  // namespace

bool is_nfc_inert(char32_t c) {
  return Compositions::get().is_inert(c);
}

bool may_need_nfc(std::string_view text) {
  const CharTable& chars = CharTable::get();
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::uint64_t eight;
    if (end - at >= 8 && (std::memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
      at += 8;
      continue;
    }
    const CodePoint c = front(at);
    if (c.value >= 0x300 && chars[c.value].is(CharInfo::not_inert)) return true;
    at += c.bytes;
  }
  return false;
}

std::string nfc(std::string_view text) {
  const Compositions& table = Compositions::get();
  const CharTable& chars = CharTable::get();
  std::string out;
  out.reserve(text.size());
  Cluster cluster;
  std::array<char32_t, 4> parts;
  for (const char *at = text.data(), *end = at + text.size(); at < end;) {
    const CodePoint c = front(at);
    at += c.bytes;
    const int count = c.value < 0xC0 ? (parts[0] = c.value, 1) : decompose(c.value, parts);
    for (int i = 0; i < count; ++i) {
      const char32_t part = parts[static_cast<std::size_t>(i)];
      const int combining = part < 0x300 || !chars[part].is(CharInfo::not_inert) ? 0 : combining_class(part);
      if (combining == 0 && !cluster.empty()) {
        cluster.close(table);
        if (cluster.absorbs(part, table)) continue;
        cluster.write(out);
      }
      cluster.add({part, combining});
    }
  }
  if (!cluster.empty()) {
    cluster.close(table);
    cluster.write(out);
  }
  return out;
}

}  // namespace qn::text
