// write_rows<F>(): a format's writer over any number of blocks, as Format::quantize promises it. Included by each writers_<isa>.cpp.
// A format has one of
//   write_block(values, importance, block)      its own search
//   F::quantize(values, block)                  no search, and importance is not looked at
#pragma once

#include <cstddef>

#include "quant/write/q2_k.h"
#include "quant/write/q3_k.h"
#include "quant/write/q4_k.h"
#include "quant/write/q5_k.h"
#include "quant/write/q6_k.h"

namespace qn::quant {
namespace {

template <class F>
void write_rows(const float* values, const float* importance, std::byte* blocks, std::size_t block_count) {
  auto* block = reinterpret_cast<typename F::Block*>(blocks);
  for (std::size_t i = 0; i < block_count; ++i)
    write_block(values + i * F::weights, importance == nullptr ? nullptr : importance + i * F::weights, block[i]);
}

}  // namespace
}  // namespace qn::quant
