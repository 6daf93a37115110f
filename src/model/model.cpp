#include "model/model.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <unordered_map>

#include "model/weights.h"

namespace qn::model {
namespace {

class LayerMap final : public LayerWeights {
 public:
  void set(std::string_view key, const Weight* weight) { weights_[key] = weight; }
  const Weight* find(std::string_view key) const override {
    const auto found = weights_.find(key);
    return found == weights_.end() ? nullptr : found->second;
  }
  const Weight& operator[](std::string_view key) const override {
    const Weight* weight = find(key);
    QN_CHECK(weight != nullptr, "bind_tensors finds every required row");
    return *weight;
  }

 private:
  std::unordered_map<std::string_view, const Weight*> weights_;  // keys are those of the weight table, which is static
};

// The pages of a tensor whose bytes a device has copied need not stay mapped in.
void release_source(const file::Checkpoint& checkpoint, std::span<const std::byte> bytes) {
  if (const MappedFile* map = checkpoint.map_of(bytes); map != nullptr) map->release(bytes);
}

Result<std::vector<float>> read_floats(const file::TensorEntry& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.columns() * tensor.rows()));
  tensor.format->dequantize(tensor.bytes.data(), values.data(), values.size() / static_cast<std::size_t>(tensor.format->block_weights));
  for (const float value : values)
    if (!(value > 0) || value > 1e9f)
      return fail(Code::bad_input, "tensor {}: {} found, a positive number needed; the file is damaged", tensor.name, value);
  return values;
}

}  // namespace

Result<Description> describe(const file::Checkpoint& checkpoint) {
  QN_TRY(const std::optional<std::string> name, checkpoint.metadata.text("general.architecture"));
  if (!name) return fail(Code::bad_input, "metadata general.architecture: missing; this is not a model file");
  QN_TRY(const Architecture* architecture, find_architecture(*name));
  const file::TensorEntry* embedding = checkpoint.find("token_embd.weight");
  if (embedding == nullptr) return fail(Code::bad_input, "tensor token_embd.weight: missing; the file holds no whole model, get it again");
  if (embedding->rows() > std::numeric_limits<int>::max() / 4)
    return fail(Code::bad_input, "tensor token_embd.weight: {} rows, more than any vocabulary has; the file is damaged", embedding->rows());
  QN_TRY(Sizes sizes, architecture->read_sizes(checkpoint.metadata, static_cast<int>(embedding->rows())));
  return Description{architecture, std::move(sizes)};
}

Model::~Model() = default;

Result<std::shared_ptr<const Model>> Model::load(std::shared_ptr<const file::Checkpoint> checkpoint, Placement placement) {
  QN_TRY(Description description, describe(*checkpoint));
  std::shared_ptr<Model> model(new Model());
  model->checkpoint_ = std::move(checkpoint);
  model->placement_ = std::move(placement);
  model->architecture_ = description.architecture;
  model->sizes_ = std::move(description.sizes);
  const Sizes& sizes = model->sizes_;
  QN_CHECK(model->placement_.mixer.size() == static_cast<std::size_t>(sizes.layers), "a placement covers every layer");
  QN_TRY(const std::vector<BoundTensor> tensors, bind_tensors(*model->architecture_, sizes, *model->checkpoint_));

  const bool tied = model->checkpoint_->find("output.weight") == nullptr;
  std::vector<LayerMap> layers(static_cast<std::size_t>(sizes.layers));
  std::vector<float> rope_divisors;
  for (const BoundTensor& bound : tensors) {
    if (bound.row->key == "rope_freqs") {
      QN_TRY(rope_divisors, read_floats(*bound.tensor));
      continue;
    }
    const bool embedding = bound.row->key == "token_embd";
    Backend& device = model->placement_.device_of(bound.row->part, bound.layer);
    const bool shared = embedding && tied && model->placement_.embedding == model->placement_.head;
    QN_TRY(std::unique_ptr<Weight> weight, device.adopt(bound.tensor->encoded(), shared ? Use::both : bound.row->use));
    if (embedding && tied && !shared) {
      QN_TRY(std::unique_ptr<Weight> head, model->placement_.device_of(Part::head, -1).adopt(bound.tensor->encoded(), Use::matrix));
      model->output_ = head.get();
      model->weights_.push_back(std::move(head));
    }
    if (weight->borrows_file) {
      model->bytes_in_use_.push_back(bound.tensor->bytes);
    } else {
      release_source(*model->checkpoint_, bound.tensor->bytes);
    }
    if (embedding) model->token_embedding_ = weight.get();
    if (bound.row->key == "output_norm") model->output_norm_ = weight.get();
    if (bound.row->key == "output" || shared) model->output_ = weight.get();
    if (bound.layer >= 0) layers[static_cast<std::size_t>(bound.layer)].set(bound.row->key, weight.get());
    model->weights_.push_back(std::move(weight));
  }
  for (int layer = 0; layer < sizes.layers; ++layer)
    model->layers_.push_back(model->architecture_->make_layer(sizes, layers[static_cast<std::size_t>(layer)], layer));
  model->rope_ = rope_frequencies(sizes, rope_divisors);
  std::sort(model->bytes_in_use_.begin(), model->bytes_in_use_.end(), [](auto a, auto b) { return std::less<>()(a.data(), b.data()); });
  return model;
}

}  // namespace qn::model
