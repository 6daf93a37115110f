// How the formats' inline code is compiled: for host and device alike, and always into its caller.
// Always inline, because a file compiled for AVX2 must not leave behind a copy that the linker could pick for everyone.
#pragma once

#ifdef __CUDACC__
#define QN_HOST_DEVICE __host__ __device__
#else
#define QN_HOST_DEVICE
#endif

#define QN_QUANT_INLINE QN_HOST_DEVICE inline __attribute__((always_inline))
