// How kernels are kept in registers: helpers always melt into their caller, and loops over a few vectors are unrolled whole. -O2 alone does
// neither, and an array of accumulators that stays in memory costs a factor of five. Where lanes are plain arrays there is nothing to
// gain, and a sanitizer build of such a file takes minutes: simd_scalar.h asks for neither.
#pragma once

#ifdef QN_LANES_IN_MEMORY
#define QN_FORCE_INLINE inline
#define QN_FORCE_LAMBDA
#define QN_UNROLL
#else
#define QN_FORCE_INLINE inline __attribute__((always_inline))
#define QN_FORCE_LAMBDA __attribute__((always_inline))
#ifdef __clang__
#define QN_UNROLL _Pragma("clang loop unroll(full)")
#else
#define QN_UNROLL _Pragma("GCC unroll 64")
#endif
#endif
