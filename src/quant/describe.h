// describe<F>(): a Format from a format's struct. The struct's inline code becomes functions that work on raw bytes.
#pragma once

#include "quant/block.h"

namespace qn::quant {

// A block is nothing but bytes (alignment 1), so bytes of a file may be looked at as blocks where they lie.
template <class F>
const typename F::Block& block_at(const std::byte* blocks, std::size_t index) {
  static_assert(alignof(typename F::Block) == 1);
  return reinterpret_cast<const typename F::Block*>(blocks)[index];
}

// Blocks handled by one pass of a loop of fixed length, which is what -O2 vectorises: many where a block is a single weight.
template <class F>
constexpr std::size_t stride = F::weights == 1 ? 64 : 1;

template <class F>
void dequantize_all(const std::byte* blocks, float* __restrict out, std::size_t block_count) {
  std::size_t i = 0;
  for (; i + stride<F> <= block_count; i += stride<F>)
    for (std::size_t k = 0; k < stride<F>; ++k) F::dequantize(block_at<F>(blocks, i + k), out + (i + k) * F::weights);
  for (; i < block_count; ++i) F::dequantize(block_at<F>(blocks, i), out + i * F::weights);
}

template <class F>
void quantize_all(const float* __restrict values, const float* /*importance*/, std::byte* __restrict blocks, std::size_t block_count) {
  auto* typed = reinterpret_cast<typename F::Block*>(blocks);
  std::size_t i = 0;
  for (; i + stride<F> <= block_count; i += stride<F>)
    for (std::size_t k = 0; k < stride<F>; ++k) F::quantize(values + (i + k) * F::weights, typed[i + k]);
  for (; i < block_count; ++i) F::quantize(values + i * F::weights, typed[i]);
}

template <class F>
void unpack_one(const std::byte* block, IntBlock& out) {
  // The promise of IntBlock: no sum over a block of scale * code * x, |x| <= 127, leaves 32 bits.
  static_assert(std::int64_t{F::weights} * F::max_code * F::max_scale * 127 < std::int64_t{1} << 31);
  F::unpack(block_at<F>(block, 0), out);
}

template <class F>
constexpr Format describe() {
  Format format{.name = F::name,
                .gguf_type = F::gguf_type,
                .kind = Kind::plain,
                .block_weights = F::weights,
                .block_bytes = sizeof(typename F::Block),
                .has_min = false,
                .dequantize = dequantize_all<F>,
                .unpack = nullptr,
                .quantize = nullptr,
                .needs_importance = false,
                .for_cache = false};
  if constexpr (F::weights > 1) {
    format.kind = Kind::quantized;
    format.has_min = F::has_min;
    format.unpack = unpack_one<F>;
  }
  if constexpr (requires(const float* values, typename F::Block& block) { F::quantize(values, block); }) {
    format.quantize = quantize_all<F>;
    format.for_cache = true;
  }
  if constexpr (requires { &F::write; }) format.quantize = F::write;
  if constexpr (requires { F::needs_importance; }) format.needs_importance = F::needs_importance;
  if constexpr (requires { F::for_cache; }) format.for_cache = F::for_cache;
  return format;
}

}  // namespace qn::quant
