#include "text/tokenizer/pre_split.h"

#include <algorithm>

#include "base/utf8.h"

namespace qn::text {
namespace {

constexpr std::string_view gpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view qwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view llama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::string_view newline = R"([\r\n])";
constexpr std::string_view deepseek_punctuation = R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)";
constexpr std::string_view trailing_space = R"(\s+$)";
constexpr std::string_view deepseek_cjk = "[一-龥ࠀ-一가-퟿]+";
constexpr std::string_view letters_after_space = R"(\s?\p{L}+)";
constexpr std::string_view punctuation_after_space = R"(\s?\p{P}+)";
constexpr std::string_view digit = R"(\p{N})";

constexpr std::string_view three_digits = R"(\p{N}{1,3})";
constexpr std::string_view han_and_kana = "[一-龥\u3040-ゟ゠-ヿ]+";
constexpr std::string_view deepseek_v3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// \s?[A-Za-zµÀ-ÖØ-öø-ƺ…]+, from the table of those letters.
const std::string& deepseek_letters() {
  static const std::string pattern = [] {
    std::string set;
    for (const CharRange& range : deepseek_letter_ranges()) {
      utf8::append(set, range.first);
      if (range.last > range.first + 1) set += '-';
      if (range.last > range.first) utf8::append(set, range.last);
    }
    return R"(\s?[)" + set + "]+";
  }();
  return pattern;
}

struct Known {
  std::string_view pattern;
  Scanner scanner;
};

constexpr Known known[] = {
    {gpt2, scan_gpt2},
    {qwen2, scan_qwen2},
    {llama3, scan_llama3},
    {newline, scan_newline},
    {deepseek_punctuation, scan_deepseek_punctuation},
    {trailing_space, scan_trailing_space},
    {deepseek_cjk, scan_deepseek_cjk},
    {letters_after_space, scan_letters_after_space},
    {punctuation_after_space, scan_punctuation_after_space},
    {digit, scan_digit},
    {three_digits, scan_three_digits},
    {han_and_kana, scan_han_and_kana},
    {deepseek_v3, scan_deepseek_v3},
};

// Some files have line breaks themselves where others have \r and \n.
std::string with_escapes(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '\r' || c == '\n') {
      out += c == '\r' ? "\\r" : "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

Scanner find_scanner(const std::vector<std::string>& patterns, std::size_t stage) {
  const std::string pattern = with_escapes(patterns[stage]);
  // $ also matches before a line break; the scanner knows it only for pieces without one.
  if (pattern == trailing_space && with_escapes(patterns[0]) != newline) return nullptr;
  for (const Known& k : known)
    if (k.pattern == pattern) return k.scanner;
  return pattern == deepseek_letters() ? scan_deepseek_letters : nullptr;
}

}  // namespace

std::vector<std::string> patterns_of(PreSplit family) {
  const auto list = [](std::initializer_list<std::string_view> patterns) {
    return std::vector<std::string>(patterns.begin(), patterns.end());
  };
  switch (family) {
    case PreSplit::gpt2: return list({gpt2});
    case PreSplit::qwen2: return list({qwen2});
    case PreSplit::llama3: return list({llama3});
    case PreSplit::deepseek_llm: return list({newline, deepseek_letters(), deepseek_punctuation, trailing_space, deepseek_cjk, digit});
    case PreSplit::deepseek_coder: return list({newline, letters_after_space, punctuation_after_space, deepseek_cjk, digit});
    case PreSplit::deepseek_v3: return list({three_digits, han_and_kana, deepseek_v3});
    case PreSplit::none:
    case PreSplit::patterns: break;
  }
  return {};
}

PreSplit family_of(const std::vector<std::string>& patterns) {
  const auto same = [](const std::string& given, const std::string& ours) { return with_escapes(given) == ours; };
  for (const PreSplit family : {PreSplit::none, PreSplit::gpt2, PreSplit::qwen2, PreSplit::llama3, PreSplit::deepseek_llm,
                                PreSplit::deepseek_coder, PreSplit::deepseek_v3}) {
    const std::vector<std::string> ours = patterns_of(family);
    if (std::equal(patterns.begin(), patterns.end(), ours.begin(), ours.end(), same)) return family;
  }
  return PreSplit::patterns;
}

Result<Splitter> Splitter::make(const std::vector<std::string>& patterns) {
  constexpr std::size_t max_stages = 16;
  if (patterns.size() > max_stages)
    return fail(Code::too_large, "pre_tokenizer: {} split patterns, at most {} accepted; use fewer", patterns.size(), max_stages);
  Splitter splitter;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    Stage stage;
    stage.scanner = find_scanner(patterns, i);
    if (stage.scanner == nullptr) {
      QN_TRY(stage.pcre, PcrePattern::make(patterns[i]));
    }
    splitter.stages_.push_back(std::move(stage));
  }
  return splitter;
}

bool Splitter::uses_pcre() const {
  for (const Stage& stage : stages_)
    if (stage.pcre != nullptr) return true;
  return false;
}

}  // namespace qn::text
