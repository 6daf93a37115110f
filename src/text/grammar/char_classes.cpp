// Classes of characters that have a name.
#include <utf8proc.h>

#include <array>

#include "text/grammar/regex.h"
#include "text/grammar/utf8_ranges.h"

namespace qn::text::grammar {
namespace {

struct Category {
  std::string_view name, long_name;
};

// In the order of utf8proc_category_t.
constexpr std::array<Category, 30> categories = {{
    {"Cn", "Unassigned"},
    {"Lu", "Uppercase_Letter"},
    {"Ll", "Lowercase_Letter"},
    {"Lt", "Titlecase_Letter"},
    {"Lm", "Modifier_Letter"},
    {"Lo", "Other_Letter"},
    {"Mn", "Nonspacing_Mark"},
    {"Mc", "Spacing_Mark"},
    {"Me", "Enclosing_Mark"},
    {"Nd", "Decimal_Number"},
    {"Nl", "Letter_Number"},
    {"No", "Other_Number"},
    {"Pc", "Connector_Punctuation"},
    {"Pd", "Dash_Punctuation"},
    {"Ps", "Open_Punctuation"},
    {"Pe", "Close_Punctuation"},
    {"Pi", "Initial_Punctuation"},
    {"Pf", "Final_Punctuation"},
    {"Po", "Other_Punctuation"},
    {"Sm", "Math_Symbol"},
    {"Sc", "Currency_Symbol"},
    {"Sk", "Modifier_Symbol"},
    {"So", "Other_Symbol"},
    {"Zs", "Space_Separator"},
    {"Zl", "Line_Separator"},
    {"Zp", "Paragraph_Separator"},
    {"Cc", "Control"},
    {"Cf", "Format"},
    {"Cs", "Surrogate"},
    {"Co", "Private_Use"},
}};

constexpr std::array<Category, 7> groups = {
    {{"L", "Letter"}, {"M", "Mark"}, {"N", "Number"}, {"P", "Punctuation"}, {"S", "Symbol"}, {"Z", "Separator"}, {"C", "Other"}}};

const std::array<std::vector<CharRange>, 30>& ranges_by_category() {
  static const auto table = [] {
    std::array<std::vector<CharRange>, 30> made;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
      std::vector<CharRange>& ranges = made[static_cast<std::size_t>(utf8proc_category(static_cast<utf8proc_int32_t>(c)))];
      if (!ranges.empty() && ranges.back().last + 1 == c)
        ranges.back().last = c;
      else
        ranges.push_back({c, c});
    }
    return made;
  }();
  return table;
}

}  // namespace

std::vector<CharRange> class_of_letter(char letter) {
  static constexpr CharRange digits[] = {{'0', '9'}};
  static constexpr CharRange word[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
  static constexpr CharRange space[] = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                                        {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
  switch (letter) {
    case 'd': return normalized(digits);
    case 'D': return complement(digits);
    case 'w': return normalized(word);
    case 'W': return complement(word);
    case 's': return normalized(space);
    case 'S': return complement(space);
    default: return {};
  }
}

std::vector<CharRange> class_of_category(std::string_view name) {
  std::string_view group;
  for (const Category& g : groups)
    if (name == g.name || name == g.long_name) group = g.name;
  std::vector<CharRange> ranges;
  for (std::size_t i = 0; i < categories.size(); ++i)
    if (name == categories[i].name || name == categories[i].long_name || (!group.empty() && categories[i].name.starts_with(group)))
      ranges.insert(ranges.end(), ranges_by_category()[i].begin(), ranges_by_category()[i].end());
  return normalized(ranges);
}

}  // namespace qn::text::grammar
