// The kernels for avxvnni: those of avx2 with its dot products of bytes; one object, nothing of which any other object may use but the
// table.
#define QN_AVX_VNNI
#include "backend/cpu/simd_avx2.h"
// The order of these includes matters.
#include "backend/cpu/kernel_table.h"
//
#include "backend/cpu/readers.h"

namespace qn::cpu {

const KernelTable& kernels_avxvnni() {
  static constexpr KernelTable table = table_with(readers);
  return table;
}

}  // namespace qn::cpu
