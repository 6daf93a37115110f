// What the formats' files share. A format is a struct, here called F:
//   F::Block                          the bytes of a block as they lie in the file, alignment 1, little-endian
//   F::unpack(block, ints)            the integers in it: the one place that knows the format's bits
//   F::dequantize(block, out)         the floats; for a blocked format always derived from unpack, so the two cannot disagree
//   F::quantize(values, block)        where the format is written without a search
//   F::write(values, importance, blocks, block_count)   declared where the writer is in quant/write/, compiled for each instruction set
//   F::name, gguf_type, weights, has_min, max_code, max_scale
// Bits of the result: d * scale is exact in f32 for every format (11 significant bits times at most 8), so only the product
// with the code and the subtraction of the minimum round, each once, as they do in the `gguf` package.
#pragma once

#include <bit>
#include <cstdint>
#include <new>

#include "quant/bits.h"
#include "quant/format.h"
#include "quant/half.h"
#include "quant/portable.h"

namespace qn::quant {

static_assert(std::endian::native == std::endian::little, "GGUF blocks are read as they lie: a big-endian machine needs swaps here");

// A 16-bit field of a block, at any address.
struct Le16 {
  std::uint8_t bytes[2];
  QN_QUANT_INLINE std::uint16_t value() const { return load<std::uint16_t>(bytes); }
  QN_QUANT_INLINE void set(std::uint16_t value) { store(bytes, value); }
  QN_QUANT_INLINE float f16() const { return f16_to_f32(value()); }
};

// One scale for the whole block; `min` is 1 where the block has an offset, else 0.
template <int weights>
QN_QUANT_INLINE void set_single_scale(IntBlock& out, float d, float dmin, std::int16_t min) {
  out.d = d;
  out.dmin = dmin;
  for (int group = 0; group < weights / group_weights; ++group) {
    out.scale[group] = 1;
    out.min[group] = min;
  }
}

QN_QUANT_INLINE void set_no_min(IntBlock& out) {
  out.dmin = 0;
  for (std::int16_t& min : out.min) min = 0;
}

// The floats of an unpacked block, in the order of operations that `gguf` uses: (d * scale) * code - dmin * min.
template <class F>
QN_QUANT_INLINE void dequantize_ints(const IntBlock& ints, float* __restrict out) {
  for (int group = 0; group < F::weights / group_weights; ++group) {
    const float scale = ints.d * static_cast<float>(ints.scale[group]);
    const std::int8_t* code = ints.code + group * group_weights;
    float* value = out + group * group_weights;
    if constexpr (F::has_min) {
      const float min = ints.dmin * static_cast<float>(ints.min[group]);
      for (int i = 0; i < group_weights; ++i) value[i] = scale * static_cast<float>(code[i]) - min;
    } else {
      for (int i = 0; i < group_weights; ++i) value[i] = scale * static_cast<float>(code[i]);
    }
  }
}

template <class F>
QN_QUANT_INLINE void dequantize_block(const typename F::Block& block, float* __restrict out) {
  // Storage without IntBlock's zeroes: writing 328 bytes takes longer than all the rest of a block of 32.
  alignas(IntBlock) unsigned char storage[sizeof(IntBlock)];
  IntBlock& ints = *std::launder(reinterpret_cast<IntBlock*>(storage));
  F::unpack(block, ints);
  dequantize_ints<F>(ints, out);
}

}  // namespace qn::quant
