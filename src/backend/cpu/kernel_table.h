// The table of the instruction set whose simd_<isa>.h came first. Included by kernels_<isa>.cpp.
#pragma once

// Written with what simd_<isa>.h defines, and each with what the one before it does.
#include "backend/cpu/kernels_float.h"
//
#include "backend/cpu/kernels_attention.h"
#include "backend/cpu/kernels_spans.h"

namespace qn::cpu {
namespace {

constexpr KernelTable table_with(std::span<const Reader> readers) {
  return {.isa = this_isa,
          .readers = readers,
          .signed_bias = signed_bias,
          .direct_tokens = most_direct_tokens,
          .quantize = quantize,
          .spans = spans,
          .write = write,
          .plain = plain,
          .normalize = normalize,
          .swiglu = swiglu,
          .rotate = rotate,
          .decode = decode,
          .attend_chunk = attend_chunk,
          .attend_merge = attend_merge,
          .attend_finish = attend_finish,
          .exponential = exponential};
}

}  // namespace
}  // namespace qn::cpu
