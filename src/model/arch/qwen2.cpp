// Qwen2, Qwen2.5, QwQ, DeepSeek-R1 distilled from Qwen: biases on q, k and v.
//   source   Qwen2 Technical Report (arXiv:2407.10671)
#include "model/blocks/decoder.h"

namespace qn::model {
namespace {

constexpr auto rows = join(token_rows, attention_rows, qkv_bias_rows(Presence::required), swiglu_rows);

Result<Sizes> read_sizes(const file::Metadata& metadata, int vocab_rows) {
  return read_decoder_sizes(metadata, "qwen2", vocab_rows, RopeLayout::halves);
}

}  // namespace

extern const Architecture arch_qwen2 = {"qwen2", read_sizes, rows, make_decoder_layer, decoder_scratch_columns};

}  // namespace qn::model
