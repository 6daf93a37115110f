// What this processor can run. Read once; QN_FORCE_ISA can only take away (tests use it to run AVX2 on a wider machine).
#pragma once

#include <string_view>

namespace qn {

enum class Isa { scalar, avx2, avx512 };  // in rising order; avx512 means F, BW, VL, DQ and VNNI

Isa best_isa();                  // what the processor and the operating system offer, capped by QN_FORCE_ISA
std::string_view name(Isa isa);  // "scalar", "avx2", "avx512"

// Flush-to-zero and denormals-are-zero for this thread, so that every instruction set agrees on tiny numbers and none is slow.
void flush_denormals();

}  // namespace qn
