#include "model/blocks/decoder.h"

#include <algorithm>

#include "model/blocks/attention.h"
#include "model/blocks/swiglu.h"

namespace qn::model {
namespace {

class DecoderLayer final : public Layer {
 public:
  DecoderLayer(const Sizes& sizes, const LayerWeights& weights, int layer)
      : sizes_(sizes), attention_(Attention::bind(sizes, weights, layer)), swiglu_(Swiglu::bind(weights)) {}

  void mixer(LayerStep& step) const override { attention(step, sizes_, attention_); }
  void feed_forward(LayerStep& step) const override { swiglu(step, sizes_, swiglu_); }

 private:
  const Sizes& sizes_;  // the model's, which outlives its layers
  Attention attention_;
  Swiglu swiglu_;
};

}  // namespace

std::unique_ptr<Layer> make_decoder_layer(const Sizes& sizes, const LayerWeights& weights, int layer) {
  return std::make_unique<DecoderLayer>(sizes, weights, layer);
}

int decoder_scratch_columns(const Sizes& sizes) {
  return std::max(attention_scratch_columns(sizes), swiglu_scratch_columns(sizes));
}

}  // namespace qn::model
