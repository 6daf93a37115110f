#include "text/tokenizer/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/check.h"
#include "text/tokenizer/normalize.h"

namespace qn::text {
namespace {

struct ClassRange {
  char32_t first, last;
  CharClass char_class;
};

constexpr auto L = CharClass::letter;
constexpr auto N = CharClass::number;
constexpr auto M = CharClass::mark;
constexpr auto P = CharClass::punctuation;
constexpr auto S = CharClass::symbol;

// Characters of Unicode 15.1 and 16.0, which utf8proc 2.8 (Unicode 15.0) does not know.
constexpr ClassRange newer_characters[] = {
    {0x00897, 0x00897, M}, {0x01B4E, 0x01B4F, P}, {0x01B7F, 0x01B7F, P}, {0x01C89, 0x01C8A, L}, {0x02427, 0x02429, S},
    {0x02FFC, 0x02FFF, S}, {0x031E4, 0x031E5, S}, {0x031EF, 0x031EF, S}, {0x0A7CB, 0x0A7CD, L}, {0x0A7DA, 0x0A7DC, L},
    {0x105C0, 0x105F3, L}, {0x10D40, 0x10D49, N}, {0x10D4A, 0x10D65, L}, {0x10D69, 0x10D6D, M}, {0x10D6E, 0x10D6E, P},
    {0x10D6F, 0x10D85, L}, {0x10D8E, 0x10D8F, S}, {0x10EC2, 0x10EC4, L}, {0x10EFC, 0x10EFC, M}, {0x11380, 0x11389, L},
    {0x1138B, 0x1138B, L}, {0x1138E, 0x1138E, L}, {0x11390, 0x113B5, L}, {0x113B7, 0x113B7, L}, {0x113B8, 0x113C0, M},
    {0x113C2, 0x113C2, M}, {0x113C5, 0x113C5, M}, {0x113C7, 0x113CA, M}, {0x113CC, 0x113D0, M}, {0x113D1, 0x113D1, L},
    {0x113D2, 0x113D2, M}, {0x113D3, 0x113D3, L}, {0x113D4, 0x113D5, P}, {0x113D7, 0x113D8, P}, {0x113E1, 0x113E2, M},
    {0x116D0, 0x116E3, N}, {0x11BC0, 0x11BE0, L}, {0x11BE1, 0x11BE1, P}, {0x11BF0, 0x11BF9, N}, {0x11F5A, 0x11F5A, M},
    {0x13460, 0x143FA, L}, {0x16100, 0x1611D, L}, {0x1611E, 0x1612F, M}, {0x16130, 0x16139, N}, {0x16D40, 0x16D6C, L},
    {0x16D6D, 0x16D6F, P}, {0x16D70, 0x16D79, N}, {0x18CFF, 0x18CFF, L}, {0x1CC00, 0x1CCEF, S}, {0x1CCF0, 0x1CCF9, N},
    {0x1CD00, 0x1CEB3, S}, {0x1E5D0, 0x1E5ED, L}, {0x1E5EE, 0x1E5EF, M}, {0x1E5F0, 0x1E5F0, L}, {0x1E5F1, 0x1E5FA, N},
    {0x1E5FF, 0x1E5FF, P}, {0x1F8B2, 0x1F8BB, S}, {0x1F8C0, 0x1F8C1, S}, {0x1FA89, 0x1FA89, S}, {0x1FA8F, 0x1FA8F, S},
    {0x1FABE, 0x1FABE, S}, {0x1FAC6, 0x1FAC6, S}, {0x1FADC, 0x1FADC, S}, {0x1FADF, 0x1FADF, S}, {0x1FAE9, 0x1FAE9, S},
    {0x1FBCB, 0x1FBEF, S}, {0x2EBF0, 0x2EE5D, L},
};

// Marks that got a combining class after Unicode 9.0.
constexpr CharRange newer_marks[] = {
    {0x007FD, 0x007FD}, {0x00898, 0x0089F}, {0x008CA, 0x008D3}, {0x009FE, 0x009FE}, {0x00C3C, 0x00C3C}, {0x00D3B, 0x00D3C},
    {0x00EBA, 0x00EBA}, {0x01715, 0x01715}, {0x01ABF, 0x01ACE}, {0x01DF6, 0x01DFA}, {0x0A82C, 0x0A82C}, {0x10D24, 0x10D27},
    {0x10EAB, 0x10EAC}, {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070}, {0x1133B, 0x1133B},
    {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0}, {0x11A34, 0x11A34},
    {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42}, {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42},
    {0x16FF0, 0x16FF1}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF},
};

// "[A-Za-zµÀ-ÖØ-öø-ƺ…]" of DeepSeek LLM's tokenizer.json: the letters that have case, as of Unicode 11.
constexpr CharRange deepseek_letters[] = {
    {0x0041, 0x005A},   {0x0061, 0x007A},   {0x00B5, 0x00B5},   {0x00C0, 0x00D6},   {0x00D8, 0x00F6},   {0x00F8, 0x01BA},
    {0x01BC, 0x01BF},   {0x01C4, 0x0293},   {0x0295, 0x02AF},   {0x0370, 0x0373},   {0x0376, 0x0377},   {0x037B, 0x037D},
    {0x037F, 0x037F},   {0x0386, 0x0386},   {0x0388, 0x038A},   {0x038C, 0x038C},   {0x038E, 0x03A1},   {0x03A3, 0x03F5},
    {0x03F7, 0x0481},   {0x048A, 0x052F},   {0x0531, 0x0556},   {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},
    {0x1C90, 0x1CBA},   {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
    {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},   {0x1F5B, 0x1F5B},
    {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},   {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},
    {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},   {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},
    {0x2102, 0x2102},   {0x2107, 0x2107},   {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},
    {0x2126, 0x2126},   {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
    {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},   {0x2CEB, 0x2CEE},
    {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},   {0xA771, 0xA787},   {0xA78B, 0xA78E},
    {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},   {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F},
    {0x104B0, 0x104D3}, {0x104D8, 0x104FB}, {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943},
};

template <class T>
const T* find_range(std::span<const T> ranges, char32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t value, const T& r) { return value < r.first; });
  if (after == ranges.begin()) return nullptr;
  const T& candidate = *(after - 1);
  return c <= candidate.last ? &candidate : nullptr;
}

bool is_white_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

CharClass class_of(char32_t c, utf8proc_category_t category) {
  if (is_white_space(c)) return CharClass::space;
  switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return L;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return N;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return M;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO: return P;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO: return S;
    default: break;
  }
  const ClassRange* newer = find_range<ClassRange>(newer_characters, c);
  return newer != nullptr ? newer->char_class : CharClass::other;
}

bool is_word(char32_t c, CharClass char_class, utf8proc_category_t category) {
  if (char_class == L || char_class == M) return true;
  if (category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_PC) return true;
  if (c == 0x200C || c == 0x200D) return true;                              // joiners
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||  // circled and squared letters are alphabetic
         (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}

std::uint8_t info_bits(char32_t c) {
  const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  const CharClass char_class = class_of(c, category);
  unsigned bits = static_cast<unsigned>(char_class);
  if (is_word(c, char_class, category)) bits |= CharInfo::word;
  if (!is_nfc_inert(c)) bits |= CharInfo::not_inert;
  if (find_range<CharRange>(deepseek_letters, c) != nullptr) bits |= CharInfo::deepseek_letter;
  return static_cast<std::uint8_t>(bits);
}

}  // namespace

CharTable::CharTable() {
  std::map<std::string, std::uint16_t, std::less<>> known;
  std::string block(256, '\0');
  for (char32_t high = 0; high < 0x1100; ++high) {
    // Planes 4 to 13 are unassigned, 15 and 16 private: nothing in them has a class.
    const bool empty_plane = (high >= 0x400 && high < 0xE00) || high >= 0xF00;
    for (char32_t low = 0; low < 256; ++low) block[low] = static_cast<char>(empty_plane ? 0 : info_bits(high << 8 | low));
    auto place = known.find(block);
    if (place == known.end()) {
      place = known.emplace(block, static_cast<std::uint16_t>(known.size())).first;
      blocks_.insert(blocks_.end(), block.begin(), block.end());
    }
    index_[high] = place->second;
  }
}

const CharTable& CharTable::get() {
  static const CharTable table;
  return table;
}

std::span<const CharRange> deepseek_letter_ranges() {
  return deepseek_letters;
}

int combining_class(char32_t c) {
  if (find_range<CharRange>(newer_marks, c) != nullptr) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

bool excluded_from_composition(char32_t c) {
  // U+11938 came with Unicode 13.0.
  return c == 0x11938 || utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->comp_exclusion;
}

int decompose(char32_t c, std::array<char32_t, 4>& out) {
  out[0] = c;
  if (c < 0xC0 || c == 0x11938) return 1;
  std::array<utf8proc_int32_t, 4> parts;
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts.data(), 4, UTF8PROC_DECOMPOSE, &boundary);
  if (count < 1) return 1;  // a surrogate or an unassigned number
  QN_CHECK(count <= 4, "Unicode promises at most four characters");
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) out[i] = static_cast<char32_t>(parts[i]);
  return static_cast<int>(count);
}

}  // namespace qn::text
