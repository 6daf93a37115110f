// The kernels for avxvnni: those of avx2 with its dot products of bytes; one object, nothing of which any other object may use but the
// table.
#define QN_AVX_VNNI
#include "backend/cpu/simd_avx2.h"
// The kernels are written with what the header above defines; the order of these includes matters.
#include "backend/cpu/kernels_float.h"
// attention uses the exponential of kernels_float.h
#include "backend/cpu/kernels_attention.h"
#include "backend/cpu/readers.h"

namespace qn::cpu {

const KernelTable& kernels_avxvnni() {
  static constexpr KernelTable table = {.isa = this_isa,
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
  return table;
}

}  // namespace qn::cpu
