#include "text/tokenizer/pcre_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/check.h"
#include "text/tokenizer/unicode.h"

namespace qn::text {
namespace {

constexpr std::size_t max_pattern_bytes = 64 << 10;
constexpr std::size_t jit_stack_bytes = 128 << 10;
constexpr std::size_t max_jit_stack_bytes = 4 << 20;
constexpr std::uint32_t max_heap_kib = 64 << 10;  // for the interpreter

pcre2_code* code_of(void* code) {
  return static_cast<pcre2_code*>(code);
}

}  // namespace

Result<std::unique_ptr<PcrePattern>> PcrePattern::make(const std::string& pattern) {
  if (pattern.size() > max_pattern_bytes)
    return fail(Code::too_large, "split pattern: {} bytes, at most {} accepted; use a shorter one", pattern.size(), max_pattern_bytes);
  int error = 0;
  PCRE2_SIZE offset = 0;
  const std::uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &offset, nullptr);
  if (code == nullptr) {
    PCRE2_UCHAR message[128];
    pcre2_get_error_message(error, message, sizeof message);
    return fail(Code::bad_input, "split pattern {}: byte {}: {}; correct the pattern", quoted(pattern), offset,
                reinterpret_cast<const char*>(message));
  }
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT the interpreter does the same, slower
  return std::unique_ptr<PcrePattern>(new PcrePattern(code));
}

PcrePattern::~PcrePattern() {
  pcre2_code_free(code_of(code_));
}

PcreMatches::PcreMatches(const PcrePattern& pattern, std::string_view text, PcreBudget& budget)
    : pattern_(pattern), text_(text), budget_(budget) {
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  context_ = context;
  data_ = pcre2_match_data_create_from_pattern(code_of(pattern.code_), nullptr);
  QN_CHECK(context_ != nullptr && data_ != nullptr, "PCRE2 gets a few kilobytes");
  pcre2_set_heap_limit(context, max_heap_kib);
}

PcreMatches::~PcreMatches() {
  pcre2_match_data_free(static_cast<pcre2_match_data*>(data_));
  pcre2_jit_stack_free(static_cast<pcre2_jit_stack*>(stack_));
  pcre2_match_context_free(static_cast<pcre2_match_context*>(context_));
}

int PcreMatches::match_once() {
  auto* context = static_cast<pcre2_match_context*>(context_);
  for (;;) {
    const int found = pcre2_match(code_of(pattern_.code_), reinterpret_cast<PCRE2_SPTR>(text_.data()), text_.size(), at_,
                                  PCRE2_NO_UTF_CHECK, static_cast<pcre2_match_data*>(data_), context);
    if (found != PCRE2_ERROR_JIT_STACKLIMIT || stack_ != nullptr) return found;
    pcre2_jit_stack* stack = pcre2_jit_stack_create(jit_stack_bytes, max_jit_stack_bytes, nullptr);
    if (stack == nullptr) return found;
    stack_ = stack;
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
}

// PCRE2 does not tell how hard it worked, only that a limit was passed. So a match starts with a small limit, and only attempts that
// needed more are charged to the budget: ordinary patterns never notice.
int PcreMatches::match_within_budget() {
  for (std::uint64_t limit = 1000;; limit *= 10) {
    if (limit > 1000) {
      if (limit > budget_.left) return PCRE2_ERROR_MATCHLIMIT;
      budget_.left -= limit;
    }
    pcre2_set_match_limit(static_cast<pcre2_match_context*>(context_), static_cast<std::uint32_t>(limit));
    const int found = match_once();
    if (found != PCRE2_ERROR_MATCHLIMIT || limit >= 1'000'000'000) return found;
  }
}

bool PcreMatches::next(std::size_t& begin, std::size_t& end) {
  while (at_ <= text_.size()) {
    if (match_within_budget() < 0) break;
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(static_cast<pcre2_match_data*>(data_));
    begin = offsets[0];
    end = offsets[1];
    if (end < begin) break;  // \K in a lookahead
    if (begin < end) {
      at_ = last_end_ = end;
      return true;
    }
    // An empty match cuts the text, except right behind another match; then the search goes on one character later.
    at_ = end < text_.size() ? end + front(text_.data() + end).bytes : end + 1;
    if (end != last_end_) {
      last_end_ = end;
      return true;
    }
  }
  at_ = text_.size() + 1;
  return false;
}

}  // namespace qn::text
