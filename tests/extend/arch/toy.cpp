// A toy architecture, added as docs/ADDING.md says: one file. Its layers have attention like every decoder, and a feed-forward half with
// one matrix instead of three: x += mix(norm(x)).
#include "model/blocks/decoder.h"

namespace qn::model {
namespace {

constexpr std::array toy_rows = {
    TensorRow{"toy_norm", "blk.{}.toy_norm.weight", "toy.{}.norm.weight", Dim::one, Dim::width, Use::vector, Part::feed_forward},
    TensorRow{"toy_mix", "blk.{}.toy_mix.weight", "toy.{}.mix.weight", Dim::width, Dim::width, Use::matrix, Part::feed_forward,
              Split::rows},
};
constexpr auto rows = join(token_rows, attention_rows, toy_rows);

class ToyLayer final : public Layer {
 public:
  ToyLayer(const Sizes& sizes, const LayerWeights& weights, int layer)
      : sizes_(sizes), attention_(Attention::bind(sizes, weights, layer)), norm_(weights["toy_norm"]), mix_(weights["toy_mix"]) {}

  void mixer(LayerStep& step) const override { attention(step, sizes_, attention_); }
  void feed_forward(LayerStep& step) const override {
    const Tensor normed = step.scratch.take(step.x.rows, sizes_.width);
    step.ops.rms_norm(step.x, norm_, sizes_.norm_eps, normed);
    const Projection mix[] = {{.weight = &mix_, .residual = &step.x, .y = step.x}};
    step.ops.linear(normed, mix);
  }

 private:
  const Sizes& sizes_;
  Attention attention_;
  const Weight &norm_, &mix_;
};

Result<Sizes> read_sizes(const file::Metadata& metadata, int vocab_rows) {
  return read_decoder_sizes(metadata, "toy", vocab_rows, RopeLayout::halves);
}

std::unique_ptr<Layer> make_layer(const Sizes& sizes, const LayerWeights& weights, int layer) {
  return std::make_unique<ToyLayer>(sizes, weights, layer);
}

}  // namespace

extern const Architecture arch_toy = {"toy", read_sizes, rows, make_layer, attention_scratch_columns};

}  // namespace qn::model
