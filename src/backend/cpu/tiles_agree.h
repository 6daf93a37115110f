// Whether AMX gives the bits of AVX-512 here. Its kernels are tested by imitation, and no processor of the project has run them: so they
// are used where they have agreed on a small product, and that is found out once.
#pragma once

namespace qn::cpu {

bool tiles_agree();

}  // namespace qn::cpu
