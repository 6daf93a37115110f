// The kernels for avx2: one object, nothing of which any other object may use but the table.
#include "backend/cpu/simd_avx2.h"
// The order of these includes matters.
#include "backend/cpu/kernel_table.h"
//
#include "backend/cpu/readers.h"

namespace qn::cpu {

const KernelTable& kernels_avx2() {
  static constexpr KernelTable table = table_with(readers);
  return table;
}

}  // namespace qn::cpu
