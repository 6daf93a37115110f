#include "cli/evaluate/windows.h"

#include <algorithm>

namespace qn::cli {

TokenId window_bos(const text::Tokenizer& tokenizer) {
  return tokenizer.spec().add_bos ? tokenizer.spec().bos : -1;
}

Result<Windows> Windows::cut(const text::Tokenizer& tokenizer, std::string_view text, std::string_view name, const Options& options) {
  const TokenId bos = window_bos(tokenizer);
  std::vector<TokenId> tokens = tokenizer.encode(text, {options.specials, bos >= 0});
  std::size_t windows = tokens.size() / options.tokens;
  if (windows == 0)
    return fail(Code::bad_input, "{}: {} tokens, a window takes {}; give a longer text or a smaller --ctx", name, tokens.size(),
                options.tokens);
  const auto skipped = static_cast<std::size_t>(std::max<std::int64_t>(options.skip, 0));
  if (skipped >= windows)
    return fail(Code::bad_input, "{}: {} windows, of which {} are left out; give a longer text or leave out fewer", name, windows, skipped);
  windows -= skipped;
  if (options.most >= 0) windows = std::min(windows, static_cast<std::size_t>(options.most));
  if (windows == 0) return fail(Code::bad_input, "--chunks: 0 windows leave nothing to read; give at least 1");
  const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(skipped * options.tokens);
  tokens = {first, first + static_cast<std::ptrdiff_t>(windows * options.tokens)};
  return Windows(std::move(tokens), options.tokens, bos);
}

Windows::Windows(std::vector<TokenId> tokens, std::size_t window_tokens, TokenId bos)
    : tokens_(std::move(tokens)), window_tokens_(window_tokens), bos_(bos) {}

std::vector<TokenId> Windows::window(std::size_t index) const {
  const auto first = tokens_.begin() + static_cast<std::ptrdiff_t>(index * window_tokens_);
  std::vector<TokenId> tokens(first, first + static_cast<std::ptrdiff_t>(window_tokens_));
  if (bos_ >= 0) tokens.front() = bos_;
  return tokens;
}

Status read_window(model::Forward& forward, std::span<const TokenId> tokens, std::size_t first_row, std::uint64_t id,
                   const std::function<void(std::size_t position, std::span<const float> logits)>& row) {
  std::vector<PageId> pages;
  for (int page = 0; page < forward.cache().pages(); ++page) pages.push_back({static_cast<std::uint32_t>(page)});
  const auto vocab = static_cast<std::size_t>(forward.model().sizes().vocab);
  for (std::size_t at = 0; at < tokens.size();) {
    const bool wanted = at >= first_row;
    const auto rows = static_cast<std::size_t>(wanted ? forward.options().max_logits : forward.options().max_rows);
    const std::size_t end = std::min(at + rows, wanted ? tokens.size() : std::min(first_row, tokens.size()));
    sched::Step step;
    const std::span<const TokenId> part = tokens.subspan(at, end - at);
    step.sequences.push_back({{id}, static_cast<int>(at), {part.begin(), part.end()}, pages});
    QN_TRY(const std::span<const float> logits, forward.run(step, wanted ? model::LogitsOf::all : model::LogitsOf::wanted));
    for (std::size_t position = at; wanted && position < end; ++position) row(position, logits.subspan((position - at) * vocab, vocab));
    at = end;
  }
  return {};
}

model::ForwardOptions window_options(const model::KvOptions& kv, std::size_t tokens, int rows_a_step, int logits_a_step) {
  return {.kv = kv,
          .pages = (static_cast<int>(tokens) + kv.page_tokens - 1) / kv.page_tokens,
          .max_rows = rows_a_step,
          .max_logits = logits_a_step};
}

}  // namespace qn::cli
