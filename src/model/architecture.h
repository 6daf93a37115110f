// Architecture: a declaration of one model family. It says which sizes it reads, which tensors it has, and what one layer computes.
// One file each in model/arch/; `foo.cpp` defines arch_foo and the build adds it to the table.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "backend/backend.h"
#include "model/sizes.h"

namespace qn::model {

// A length in a tensor's shape, resolved by Sizes.
enum class Dim { one, width, q_width, kv_width, feed_forward, vocab, head, half_rotated };
int resolve(Dim dim, const Sizes& sizes);

// Which half of a layer a tensor belongs to: placement maps (layer, part) to a device.
enum class Part { embedding, mixer, feed_forward, head };

// How a rank of a tensor-parallel group gets its share: whole output rows, or all of it.
enum class Split { replicate, rows };

enum class Presence { required, optional };

// One line of the weight table: it drives loading, checking, sharding, the memory plan and quantizing.
struct TensorRow {
  std::string_view key;           // what the layer asks for
  std::string_view gguf;          // name in a GGUF file; {} is the layer
  std::string_view hugging_face;  // name in a safetensors folder; {} is the layer
  Dim rows = Dim::one;            // [rows, columns], columns contiguous; vectors are [1, columns]
  Dim columns = Dim::one;
  Use use = Use::vector;
  Part part = Part::mixer;
  Split split = Split::replicate;
  Presence presence = Presence::required;

  bool per_layer() const { return gguf.find("{}") != std::string_view::npos; }
};

// The weights of one layer, by key.
class LayerWeights {
 public:
  virtual ~LayerWeights() = default;
  virtual const Weight& operator[](std::string_view key) const = 0;  // a required row of the table
  virtual const Weight* find(std::string_view key) const = 0;        // null for an optional one that the file lacks
};

// Memory for what lives within one half of a layer: taken front to back, all given back at once.
class Scratch {
 public:
  explicit Scratch(std::span<std::byte> memory) : memory_(memory) {}
  Tensor take(int rows, int columns);  // f32 [rows, columns]
  void reset() { used_ = 0; }

 private:
  std::span<std::byte> memory_;
  std::size_t used_ = 0;
};

// All that one half of a layer may touch in a step.
struct LayerStep {
  Ops& ops;
  Scratch& scratch;
  const AttentionPlan& plan;
  const RopeTable& rope;
  const KvPool& pool;  // this layer's
  Tensor x;            // [T, D] the residual stream, changed in place
};

class Layer {
 public:
  virtual ~Layer() = default;
  virtual void mixer(LayerStep& step) const = 0;  // attention
  virtual void feed_forward(LayerStep& step) const = 0;
};

struct Architecture {
  std::string_view name;  // general.architecture
  Result<Sizes> (*read_sizes)(const file::Metadata& metadata, int vocab_rows);
  std::span<const TensorRow> rows;
  std::unique_ptr<Layer> (*make_layer)(const Sizes& sizes, const LayerWeights& weights, int layer);
  int (*scratch_columns)(const Sizes& sizes);  // floats a token that a half of a layer takes from Scratch, at most
};

std::span<const Architecture* const> architectures();
//   errors   unsupported: the name found and those known
Result<const Architecture*> find_architecture(std::string_view name);

}  // namespace qn::model
