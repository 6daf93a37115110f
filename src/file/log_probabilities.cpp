#include "file/log_probabilities.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/byte_reader.h"
#include "base/check.h"
#include "base/checked.h"

namespace qn::file {
namespace {

constexpr std::string_view magic = "_logits_";
constexpr std::size_t row_head = 4;  // two floats, in u16
constexpr float deepest = 16;        // below the largest
constexpr std::string_view damaged = "the file is cut short or damaged; make it again";

std::size_t row_bytes(int vocab) {
  return (row_head + (static_cast<std::size_t>(vocab) + 1) / 2 * 2) * sizeof(std::uint16_t);
}

int rows_a_window(int window_tokens) {
  return window_tokens - 1 - window_tokens / 2;
}

}  // namespace

Result<LogProbabilities> LogProbabilities::open(const std::filesystem::path& path) {
  QN_TRY(MappedFile map, MappedFile::open(path));
  QN_TRY(LogProbabilities found, parse(map.bytes(), path.native()));
  found.map_.push_back(std::move(map));
  return found;
}

Result<LogProbabilities> LogProbabilities::parse(std::span<const std::byte> image, std::string_view name) {
  ByteReader in(image);
  if (in.read_text(magic.size()) != magic)
    return fail(Code::bad_input, "{}: it does not begin with {}; make it with --kl-divergence-base FILE", quoted(name, 256), quoted(magic));
  const auto window = in.read<std::int32_t>(), vocab = in.read<std::int32_t>(), windows = in.read<std::int32_t>();
  if (!windows || *window < 4 || *vocab < 1 || *windows < 1)
    return fail(Code::bad_input, "{}: windows of {} tokens, {} of them, over a vocabulary of {}; {}", quoted(name, 256), window.value_or(0),
                windows.value_or(0), vocab.value_or(0), damaged);
  LogProbabilities found;
  found.window_tokens_ = *window;
  found.vocab_ = *vocab;
  found.windows_ = *windows;
  const auto count = checked_mul(static_cast<std::uint64_t>(*window), static_cast<std::uint64_t>(*windows));
  if (*count > in.left() / sizeof(TokenId))
    return fail(Code::bad_input, "{}: {} tokens cannot stand in the {} bytes left; {}", quoted(name, 256), *count, in.left(), damaged);
  const auto tokens = in.read_bytes(*count * sizeof(TokenId));
  found.tokens_.resize(*count);
  std::memcpy(found.tokens_.data(), tokens->data(), tokens->size());
  for (const TokenId token : found.tokens_)
    if (token < 0 || token >= *vocab)
      return fail(Code::bad_input, "{}: token {} is not in its vocabulary of {}; {}", quoted(name, 256), token, *vocab, damaged);
  const std::uint64_t rows = static_cast<std::uint64_t>(*windows) * static_cast<std::uint64_t>(rows_a_window(*window));
  const auto bytes = checked_mul(rows, static_cast<std::uint64_t>(row_bytes(*vocab)));
  if (!bytes || *bytes > in.left())
    return fail(Code::bad_input, "{}: {} rows of {} bytes cannot stand in the {} bytes left; {}", quoted(name, 256), rows,
                row_bytes(*vocab), in.left(), damaged);
  found.rows_ = *in.read_bytes(*bytes);
  return found;
}

void LogProbabilities::row(int window, int position, std::span<float> out) const {
  const int first = window_tokens_ / 2;
  QN_CHECK(window >= 0 && window < windows_ && position >= first && position < window_tokens_ - 1, "a row of the file");
  QN_CHECK(out.size() == static_cast<std::size_t>(vocab_), "a row holds the vocabulary");
  const std::size_t index = static_cast<std::size_t>(window) * static_cast<std::size_t>(rows_a_window(window_tokens_)) +
                            static_cast<std::size_t>(position - first);
  const std::byte* at = rows_.data() + index * row_bytes(vocab_);
  float head[2];
  std::memcpy(head, at, sizeof head);
  at += row_head * sizeof(std::uint16_t);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t value;
    std::memcpy(&value, at + i * sizeof value, sizeof value);
    out[i] = head[1] + head[0] * static_cast<float>(value);
  }
}

Result<LogProbabilityWriter> LogProbabilityWriter::create(const std::filesystem::path& path, int window_tokens, int vocab,
                                                          std::span<const TokenId> tokens) {
  QN_TRY(ReplacementFile file, ReplacementFile::create(path));
  const std::int32_t numbers[] = {window_tokens, vocab, static_cast<std::int32_t>(tokens.size() / static_cast<std::size_t>(window_tokens))};
  QN_OK(file.write(std::as_bytes(std::span(magic))));
  QN_OK(file.write(std::as_bytes(std::span(numbers))));
  QN_OK(file.write(std::as_bytes(tokens)));
  LogProbabilityWriter writer(std::move(file));
  writer.row_.resize(row_bytes(vocab) / sizeof(std::uint16_t));
  return writer;
}

Status LogProbabilityWriter::add(std::span<const float> logits) {
  const auto [low, high] = std::minmax_element(logits.begin(), logits.end());
  const float lowest = std::max(*low, *high - deepest);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit - *high));
  const float head[] = {(*high - lowest) / 65535.0f, lowest - *high - static_cast<float>(std::log(sum))};
  std::memcpy(row_.data(), head, sizeof head);
  const float steps = head[0] > 0 ? 1 / head[0] : 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    row_[row_head + i] = static_cast<std::uint16_t>(std::clamp(std::nearbyint(steps * std::max(logits[i] - lowest, 0.0f)), 0.0f, 65535.0f));
  return file_.write(std::as_bytes(std::span(row_)));
}

Status LogProbabilityWriter::finish() {
  return file_.commit();
}

}  // namespace qn::file
