// Model: weights on their devices and the layers over them. Immutable once loaded; shared by everything that runs it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "file/checkpoint.h"
#include "model/architecture.h"
#include "model/place.h"
#include "model/rope.h"

namespace qn::model {

class Model {
 public:
  // Reads the sizes, binds every tensor, and lets each device adopt its own.
  //   checkpoint   kept: weights may point into its maps
  //   errors       those of read_sizes, bind_tensors and Backend::adopt
  static Result<std::shared_ptr<const Model>> load(std::shared_ptr<const file::Checkpoint> checkpoint, Placement placement);
  ~Model();

  const Architecture& architecture() const { return *architecture_; }
  const Sizes& sizes() const { return sizes_; }
  const Placement& placement() const { return placement_; }
  const RopeFrequencies& rope() const { return rope_; }

  // The bytes of the checkpoint that weights lie in, in the order of the file.
  std::span<const std::span<const std::byte>> bytes_in_use() const { return bytes_in_use_; }
  const file::Checkpoint& checkpoint() const { return *checkpoint_; }

  const Layer& layer(int index) const { return *layers_[static_cast<std::size_t>(index)]; }
  const Weight& token_embedding() const { return *token_embedding_; }
  const Weight& output_norm() const { return *output_norm_; }
  const Weight& output() const { return *output_; }

 private:
  Model() = default;

  std::shared_ptr<const file::Checkpoint> checkpoint_;
  Placement placement_;
  const Architecture* architecture_ = nullptr;
  Sizes sizes_;
  RopeFrequencies rope_;
  std::vector<std::unique_ptr<Weight>> weights_;
  std::vector<std::span<const std::byte>> bytes_in_use_;
  std::vector<std::unique_ptr<Layer>> layers_;
  const Weight* token_embedding_ = nullptr;
  const Weight* output_norm_ = nullptr;
  const Weight* output_ = nullptr;
};

// Architecture and sizes of a checkpoint, before anything is loaded.
struct Description {
  const Architecture* architecture;
  Sizes sizes;
};
Result<Description> describe(const file::Checkpoint& checkpoint);

}  // namespace qn::model
