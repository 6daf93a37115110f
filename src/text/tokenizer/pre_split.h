// Pre-splitting: text is cut into pieces, and no token ever spans two of them.
// A splitter is a list of stages, each a regular expression of the model's tokenizer.json; a stage cuts every piece of the stage before
// into its matches and what lies between. The patterns of the known model families are written by hand, one file each, and checked
// against PCRE2; any other pattern runs in PCRE2 itself.
// Invariant: the pieces, one after the other, are the text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer/pcre_pattern.h"
#include "text/tokenizer/unicode.h"
#include "text/tokenizer/vocab.h"

namespace qn::text {

// The next match of a pattern at or after some place: [match, end). What lies before it is a piece of its own.
struct Match {
  std::size_t begin, end;  // begin == end == text.size(): no match
};

// A hand-written pattern. text is valid UTF-8, at < text.size(); called again at `end` until the text is used up.
using Scanner = Match (*)(const CharTable& chars, std::string_view text, std::size_t at);

Match scan_gpt2(const CharTable&, std::string_view, std::size_t);
Match scan_qwen2(const CharTable&, std::string_view, std::size_t);
Match scan_llama3(const CharTable&, std::string_view, std::size_t);
Match scan_newline(const CharTable&, std::string_view, std::size_t);  // DeepSeek LLM, in order
Match scan_deepseek_letters(const CharTable&, std::string_view, std::size_t);
Match scan_deepseek_punctuation(const CharTable&, std::string_view, std::size_t);
Match scan_trailing_space(const CharTable&, std::string_view, std::size_t);
Match scan_deepseek_cjk(const CharTable&, std::string_view, std::size_t);
Match scan_letters_after_space(const CharTable&, std::string_view, std::size_t);  // DeepSeek Coder's second and third
Match scan_punctuation_after_space(const CharTable&, std::string_view, std::size_t);
Match scan_digit(const CharTable&, std::string_view, std::size_t);
Match scan_three_digits(const CharTable&, std::string_view, std::size_t);  // DeepSeek V3, in order
Match scan_han_and_kana(const CharTable&, std::string_view, std::size_t);
Match scan_deepseek_v3(const CharTable&, std::string_view, std::size_t);

// The regular expressions of a family, in order, as tokenizer.json spells them.
std::vector<std::string> patterns_of(PreSplit family);

// The family with exactly these patterns; PreSplit::none for no pattern, PreSplit::patterns for a list of no known family.
PreSplit family_of(const std::vector<std::string>& patterns);

class Splitter {
 public:
  //   errors   bad_input: the pattern that PCRE2 cannot compile
  static Result<Splitter> make(const std::vector<std::string>& patterns);

  // Calls sink(std::string_view piece) for every piece, none of them empty. PCRE2's backtracking is paid from the budget.
  template <class Sink>
  void split(std::string_view text, PcreBudget& budget, Sink&& sink) const {
    if (stages_.empty()) {
      if (!text.empty()) sink(text);
    } else {
      split_from(0, text, budget, sink);
    }
  }

  bool uses_pcre() const;  // some stage has no hand-written scanner

 private:
  struct Stage {
    Scanner scanner = nullptr;
    std::shared_ptr<const PcrePattern> pcre;  // shared by copies of the splitter; set where scanner is not
  };

  template <class Sink>
  void split_from(std::size_t stage, std::string_view text, PcreBudget& budget, Sink& sink) const {
    const auto emit = [&](std::size_t from, std::size_t to) {
      if (from == to) return;
      if (stage + 1 == stages_.size()) {
        sink(text.substr(from, to - from));
      } else {
        split_from(stage + 1, text.substr(from, to - from), budget, sink);  // as deep as there are stages
      }
    };
    if (const Scanner scanner = stages_[stage].scanner) {
      for (std::size_t at = 0; at < text.size();) {
        const Match match = scanner(*chars_, text, at);
        emit(at, match.begin);
        emit(match.begin, match.end);
        at = match.end;
      }
    } else {
      std::size_t at = 0;
      PcreMatches matches(*stages_[stage].pcre, text, budget);
      for (Match match; matches.next(match.begin, match.end);) {
        emit(at, match.begin);
        emit(match.begin, match.end);
        at = match.end;
      }
      emit(at, text.size());
    }
  }

  const CharTable* chars_ = &CharTable::get();
  std::vector<Stage> stages_;
};

}  // namespace qn::text
