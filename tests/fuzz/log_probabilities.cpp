// Files of --kl-divergence-base. What is accepted has every row that it says.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "file/log_probabilities.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto base = qn::file::LogProbabilities::parse(std::as_bytes(std::span(data, size)), "base");
  if (!base) {
    QN_CHECK(base.error().message.find('\n') == std::string::npos, "an error is one line");
    return 0;
  }
  std::vector<float> row(static_cast<std::size_t>(base->vocab()));
  const int first = base->window_tokens() / 2, last = base->window_tokens() - 2;
  for (const int window : {0, base->windows() - 1})
    for (const int position : {first, last}) base->row(window, position, row);
  for (const qn::TokenId token : base->tokens()) QN_CHECK(token >= 0 && token < base->vocab(), "a token of the vocabulary");
  return 0;
}
