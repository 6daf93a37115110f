// A split pattern that nobody has written by hand, run by PCRE2 (JIT). The only file that may see PCRE2.
// Patterns mean what they mean to Oniguruma's Ruby syntax, which Hugging Face `tokenizers` uses: UTF, Unicode classes, ^ and $ at lines.
// Character classes are those of PCRE2's own Unicode version, so letters younger than it may be cut differently.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qn::text {

class PcrePattern {
 public:
  //   errors   bad_input: where in the pattern, and what PCRE2 says
  static Result<std::unique_ptr<PcrePattern>> make(const std::string& pattern);
  ~PcrePattern();
  PcrePattern(const PcrePattern&) = delete;
  PcrePattern& operator=(const PcrePattern&) = delete;

 private:
  friend class PcreMatches;
  explicit PcrePattern(void* code) : code_(code) {}
  void* code_;  // pcre2_code; immutable, so threads share it
};

// How much backtracking one text is worth, over all its pieces.
struct PcreBudget {
  explicit PcreBudget(std::size_t text_bytes) : left(10'000'000 + 100 * std::uint64_t{text_bytes}) {}
  std::uint64_t left;  // in PCRE2's match limit units
};

// The matches in one text, from left to right. Where a pattern backtracks beyond the budget, the rest of the text has no more matches.
class PcreMatches {
 public:
  PcreMatches(const PcrePattern& pattern, std::string_view text, PcreBudget& budget);
  ~PcreMatches();
  PcreMatches(const PcreMatches&) = delete;
  PcreMatches& operator=(const PcreMatches&) = delete;

  bool next(std::size_t& begin, std::size_t& end);

 private:
  int match_within_budget();
  int match_once();

  const PcrePattern& pattern_;
  std::string_view text_;
  void* context_;          // pcre2_match_context
  void* data_;             // pcre2_match_data
  void* stack_ = nullptr;  // pcre2_jit_stack, once a match has needed more than PCRE2's 32 KiB
  std::size_t at_ = 0;
  std::size_t last_end_ = std::string_view::npos;
  PcreBudget& budget_;
};

}  // namespace qn::text
