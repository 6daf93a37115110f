// What a model gave every token of a vocabulary, after every position of a text that counts: kept so that a smaller model can be compared.
// The file is that of llama-perplexity's --kl-divergence-base, all little-endian:
//
//   "_logits_" · window tokens u32 · vocabulary i32 · windows i32 · tokens i32 x windows x window tokens
//   rows, for the positions [window / 2, window - 1) of each window:
//     step f32 · lowest f32 · u16 x vocabulary (x 2, rounded up): log p = lowest + step * value; p below e^-16 of the largest is cut there
//
//   source   llama.cpp tools/perplexity
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/mapped_file.h"
#include "base/result.h"
#include "file/replacement_file.h"

namespace qn::file {

class LogProbabilities {
 public:
  //   errors   not_found, io; bad_input: what does not fit
  static Result<LogProbabilities> open(const std::filesystem::path& path);
  //   image    outlives the result
  static Result<LogProbabilities> parse(std::span<const std::byte> image, std::string_view name);

  int window_tokens() const { return window_tokens_; }
  int vocab() const { return vocab_; }
  int windows() const { return windows_; }
  std::span<const TokenId> tokens() const { return tokens_; }
  // log p of every token, after a position in [window_tokens / 2, window_tokens - 1).
  void row(int window, int position, std::span<float> out) const;

 private:
  int window_tokens_ = 0, vocab_ = 0, windows_ = 0;
  std::vector<TokenId> tokens_;
  std::span<const std::byte> rows_;
  std::vector<MappedFile> map_;  // one or none
};

class LogProbabilityWriter {
 public:
  static Result<LogProbabilityWriter> create(const std::filesystem::path& path, int window_tokens, int vocab,
                                             std::span<const TokenId> tokens);
  Status add(std::span<const float> logits);  // the rows in order
  Status finish();

 private:
  explicit LogProbabilityWriter(ReplacementFile file) : file_(std::move(file)) {}
  ReplacementFile file_;
  std::vector<std::uint16_t> row_;
};

}  // namespace qn::file
