// A model file of random weights: the real shape, the real vocabulary size, the real types, and nothing learned. It costs memory and time
// as the real model does.
#pragma once

#include <filesystem>
#include <functional>

#include "cli/bench/shapes.h"
#include "file/quantize/mix.h"
#include "text/tokenizer/vocab.h"

namespace qn::cli {

// Which format each matrix gets: by a mix's rules, or one for all.
struct Types {
  const file::Mix* mix = nullptr;
  const quant::Format* pure = nullptr;
  std::string_view name() const { return mix != nullptr ? mix->name : pure->name; }
};
// The name of a mix, or of a format that no mix is called by.
//   errors   bad_input: the nearest names
Result<Types> find_types(std::string_view name);

struct RandomModel {
  file::Metadata metadata;
  std::vector<file::TensorInfo> tensors;
  std::vector<float> centres;  // of each tensor's values: 1 for norms, else 0
  std::uint64_t bytes = 0;     // of the file, nearly
};

//   vocab    written into the file where given; benchmarks need none
RandomModel plan_random_model(const Shape& shape, const Types& types, const text::VocabSpec* vocab);

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
