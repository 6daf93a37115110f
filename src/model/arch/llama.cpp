// Llama 1 to 3 and what shares their graph: Mistral, DeepSeek-R1 distilled from Llama. GGUF permutes the rows of q and k so that adjacent
// components rotate; Llama 3 scaling comes as the tensor rope_freqs. Biases are rare, and taken where a file has them.
//   source   Touvron et al. 2023 (arXiv:2302.13971), Dubey et al. 2024 (arXiv:2407.21783)
#include "model/blocks/decoder.h"

namespace qn::model {
namespace {

constexpr auto rows =
    join(token_rows, attention_rows, qkv_bias_rows(Presence::optional), optional_out_bias_rows, swiglu_rows, optional_swiglu_bias_rows);

Result<Sizes> read_sizes(const file::Metadata& metadata, int vocab_rows) {
  return read_decoder_sizes(metadata, "llama", vocab_rows, RopeLayout::interleaved);
}

}  // namespace

extern const Architecture arch_llama = {"llama", read_sizes, rows, make_decoder_layer, decoder_scratch_columns};

}  // namespace qn::model
