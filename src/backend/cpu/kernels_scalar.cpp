// The kernels for scalar: one object, nothing of which any other object may use but the table.
#include "backend/cpu/simd_scalar.h"
// The order of these includes matters.
#include "backend/cpu/kernel_table.h"

namespace qn::cpu {

const KernelTable& kernels_scalar() {
  static constexpr KernelTable table = table_with({});
  return table;
}

}  // namespace qn::cpu
