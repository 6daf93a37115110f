// A random model with every kind of number in it: each matrix in another format. The same seed gives the same bytes.
#pragma once

#include <memory>

#include "file/checkpoint.h"

namespace qn::golden {

struct RandomModel {
  std::shared_ptr<const file::Checkpoint> checkpoint;
  std::vector<std::vector<std::byte>> storage;  // what the checkpoint's tensors point to
};

inline constexpr int random_model_layers = 2;
inline constexpr int random_model_vocab = 320;

// A Qwen2 of width 256 with heads of 64.
RandomModel random_model(std::uint64_t seed);

}  // namespace qn::golden
