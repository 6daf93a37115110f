// Qwen3: q and k are normalised per head before rotation, no biases; H * head may differ from D.
//   source   Qwen3 Technical Report (arXiv:2505.09388)
#include "model/blocks/decoder.h"

namespace qn::model {
namespace {

constexpr auto rows = join(token_rows, attention_rows, qk_norm_rows, swiglu_rows);

Result<Sizes> read_sizes(const file::Metadata& metadata, int vocab_rows) {
  return read_decoder_sizes(metadata, "qwen3", vocab_rows, RopeLayout::halves);
}

}  // namespace

extern const Architecture arch_qwen3 = {"qwen3", read_sizes, rows, make_decoder_layer, decoder_scratch_columns};

}  // namespace qn::model
