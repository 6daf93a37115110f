// The pre-norm decoder layer that llama, qwen2 and qwen3 share: attention, then SwiGLU. What differs is in their weight tables.
#pragma once

#include <algorithm>
#include <array>

#include "model/architecture.h"
#include "model/blocks/attention.h"
#include "model/blocks/swiglu.h"

namespace qn::model {

// clang-format off
// Around the layers. Without `output` the embedding table serves as the head too (tied embeddings).
inline constexpr std::array token_rows = {
    TensorRow{"token_embd",  "token_embd.weight",  "model.embed_tokens.weight", Dim::vocab, Dim::width,        Use::table,  Part::embedding},
    TensorRow{"output_norm", "output_norm.weight", "model.norm.weight",         Dim::one,   Dim::width,        Use::vector, Part::head},
    TensorRow{"output",      "output.weight",      "lm_head.weight",            Dim::vocab, Dim::width,        Use::matrix, Part::head,      Split::rows,      Presence::optional},
    // Divisors of the rotation frequencies: how Llama 3 scaling is written in GGUF.
    TensorRow{"rope_freqs",  "rope_freqs.weight",  "",                          Dim::one,   Dim::half_rotated, Use::vector, Part::embedding, Split::replicate, Presence::optional},
};
// clang-format on

// One table from the tables of an architecture's blocks.
template <std::size_t... counts>
constexpr auto join(const std::array<TensorRow, counts>&... tables) {
  std::array<TensorRow, (counts + ...)> all{};
  auto end = all.begin();
  ((end = std::copy(tables.begin(), tables.end(), end)), ...);
  return all;
}

std::unique_ptr<Layer> make_decoder_layer(const Sizes& sizes, const LayerWeights& weights, int layer);
int decoder_scratch_columns(const Sizes& sizes);

}  // namespace qn::model
