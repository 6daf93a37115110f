// write_rows<F>(): a format's writer over any number of blocks, as Format::quantize promises it. Included by each writers_<isa>.cpp.
// A format has one of
//   write_block(values, importance, block)   for one block
//   write_tile(tile, blocks)                 for eight, where blocks are of 32
#pragma once

#include <cstddef>

#include "quant/write/iq1_m.h"
#include "quant/write/iq1_s.h"
#include "quant/write/iq2_s.h"
#include "quant/write/iq2_xs.h"
#include "quant/write/iq2_xxs.h"
#include "quant/write/iq3_s.h"
#include "quant/write/iq3_xxs.h"
#include "quant/write/iq4_nl.h"
#include "quant/write/iq4_xs.h"
#include "quant/write/mxfp4.h"
#include "quant/write/q2_k.h"
#include "quant/write/q3_k.h"
#include "quant/write/q4_0.h"
#include "quant/write/q4_1.h"
#include "quant/write/q4_k.h"
#include "quant/write/q5_k.h"
#include "quant/write/q6_k.h"
#include "quant/write/tq1_0.h"
#include "quant/write/tq2_0.h"

namespace qn::quant {
namespace {

// quantize_tile(values, blocks) for eight blocks at a time where a format has it: F::quantize, only faster.
template <class F>
void quantize_blocks(const float* __restrict values, typename F::Block* __restrict blocks, std::size_t block_count) {
  std::size_t i = 0;
  if constexpr (requires(typename F::Block(&all)[tile_blocks]) { quantize_tile(values, all); }) {
    for (; i + tile_blocks <= block_count; i += tile_blocks) {
      typename F::Block all[tile_blocks];
      quantize_tile(values + i * F::weights, all);
      std::memcpy(blocks + i, all, sizeof all);
    }
  }
  for (; i < block_count; ++i) F::quantize(values + i * F::weights, blocks[i]);
}

template <class F>
void write_rows(const float* values, const float* importance, std::byte* blocks, std::size_t block_count) {
  auto* block = reinterpret_cast<typename F::Block*>(blocks);
  if constexpr (requires { F::quantize(values, *block); }) {
    // Without importance to the bit what the `gguf` package writes, and quick, for the rows of the cache.
    if (importance == nullptr) {
      quantize_blocks<F>(values, block, block_count);
      return;
    }
  }
  if constexpr (F::weights == 32)
    write_small_blocks(values, importance, block, block_count);
  else
    for (std::size_t i = 0; i < block_count; ++i)
      write_block(values + i * F::weights, importance == nullptr ? nullptr : importance + i * F::weights, block[i]);
}

}  // namespace
}  // namespace qn::quant
