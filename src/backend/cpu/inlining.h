// How kernels are kept in registers: helpers always melt into their caller, and loops over a few vectors are unrolled whole. -O2 alone does
// neither, and an array of accumulators that stays in memory costs a factor of five.
// QN_UNROLL is QN_UNROLL_WHOLE where lanes are registers, and nothing in simd_scalar.h.
#pragma once

#define QN_FORCE_INLINE inline __attribute__((always_inline))
#define QN_FORCE_LAMBDA __attribute__((always_inline))

#ifdef __clang__
#define QN_UNROLL_WHOLE _Pragma("clang loop unroll(full)")
#else
#define QN_UNROLL_WHOLE _Pragma("GCC unroll 64")
#endif
