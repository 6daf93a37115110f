// What this processor can run. Read once; QN_FORCE_ISA can only take away (tests use it to run AVX2 on a wider machine).
#pragma once

#include <span>
#include <string_view>

namespace qn {

// In rising order. avx2 means FMA and F16C too; avxvnni is avx2 with 8-bit dot products; avx512 means F, BW, VL, DQ and VNNI. A processor
// with avx512 may lack avxvnni. amx is avx512 with tiles of bytes, where the kernel grants them.
enum class Isa { scalar, avx2, avxvnni, avx512, amx };

std::span<const Isa> usable_isas();  // what the processor and the operating system offer, up to QN_FORCE_ISA; in rising order, never empty
Isa best_isa();                      // the last of them
Isa usable_isa(Isa most);            // the last that is not above `most`
std::string_view name(Isa isa);      // "scalar", "avx2", "avxvnni", "avx512", "amx"

// Flush-to-zero and denormals-are-zero for this thread, so that every instruction set agrees on tiny numbers and none is slow.
void flush_denormals();

}  // namespace qn
