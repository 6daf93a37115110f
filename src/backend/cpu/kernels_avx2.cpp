// The kernels for avx2: one object, nothing of which any other object may use but the table.
#include "backend/cpu/simd_avx2.h"
// The kernels are written with what the header above defines; the order of these includes matters.
#include "backend/cpu/kernels_float.h"
// attention uses the exponential of kernels_float.h
#include "backend/cpu/kernels_attention.h"
#include "backend/cpu/kernels_panel.h"

namespace qn::cpu {

const KernelTable& kernels_avx2() {
  static constexpr KernelTable table = {this_isa, quantize, panel,        plain,         normalize,  swiglu,
                                        rotate,   decode,   attend_chunk, attend_finish, exponential};
  return table;
}

}  // namespace qn::cpu
