// A model file of random weights: the real shape, the real vocabulary size, the real types, and nothing learned. It costs memory and time
// as the real model does.
#pragma once

#include <filesystem>
#include <functional>

#include "cli/bench/mix.h"
#include "text/tokenizer/vocab.h"

namespace qn::cli {

inline constexpr std::string_view quant_key = "quern.bench.quant";  // metadata: the name of the mix

struct RandomModel {
  file::Metadata metadata;
  std::vector<file::TensorInfo> tensors;
  std::vector<float> centres;  // of each tensor's values: 1 for norms, else 0
  std::uint64_t bytes = 0;     // of the file, nearly
};

//   vocab    written into the file where given; benchmarks need none
RandomModel plan_random_model(const Shape& shape, const Mix& mix, const text::VocabSpec* vocab);

// Streams the file, calling `progress` with the bytes written so far; it may return false to stop.
//   errors   io: with the numbers where the disk is short; cancelled
Status write_random_model(const RandomModel& model, const std::filesystem::path& target,
                          const std::function<bool(std::uint64_t bytes)>& progress);

// A folder of its own for files that are gone when it is.
class ScratchFolder {
 public:
  //   errors   io
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace qn::cli
