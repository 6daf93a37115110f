// The limits of AVX-512. A peak is one instruction over and over on registers that do not wait for each other: 24 sums cover the latency of
// two units. The operands are ones, so no sum becomes infinite, denormal or zero.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // of GCC 12's own header, as in simd_avx512.h
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include "backend/cpu/limit_kernels.h"

namespace qn::cpu {
namespace {

constexpr std::size_t ahead_bytes = 4096;  // of the software prefetch; 1 KiB to 8 KiB read alike here

std::uint64_t read(const std::byte* bytes, std::size_t count) {
  __m512i sum[4] = {};
  for (const std::byte* end = bytes + count; bytes != end; bytes += 256) {
    for (int i = 0; i < 4; ++i) {
      _mm_prefetch(reinterpret_cast<const char*>(bytes) + ahead_bytes + 64 * i, _MM_HINT_T0);
      sum[i] = _mm512_xor_si512(sum[i], _mm512_loadu_si512(bytes + 64 * i));
    }
  }
  const __m512i all = _mm512_xor_si512(_mm512_xor_si512(sum[0], sum[1]), _mm512_xor_si512(sum[2], sum[3]));
  return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(all));
}

#define QN_PEAK_512(name, instruction, ones)                                                                                        \
  void name(std::int64_t rounds) {                                                                                                  \
    asm volatile(                                                                                                                   \
        ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n"                                                    \
        "vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r\n"                                                                                     \
        ".endr\n"                                                                                                                   \
        "vpbroadcastd %1, %%zmm30\n"                                                                                                \
        "vpbroadcastd %1, %%zmm31\n"                                                                                                \
        "1:\n"                                                                                                                      \
        ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n" instruction                                        \
        " %%zmm30, %%zmm31, %%zmm\\r\n"                                                                                             \
        ".endr\n"                                                                                                                   \
        "dec %0\n"                                                                                                                  \
        "jnz 1b\n"                                                                                                                  \
        : "+r"(rounds)                                                                                                              \
        : "r"(ones)                                                                                                                 \
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
          "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm30", "xmm31");              \
  }

QN_PEAK_512(dot_int8, "vpdpbusd", 0x01010101)
QN_PEAK_512(dot_bf16, "vdpbf16ps", 0x3F803F80)
QN_PEAK_512(fma_f32, "vfmadd231ps", 0x3F800000)

constexpr PeakKernel int8_peaks[] = {{"vpdpbusd zmm", Extra::none, 24 * 128, dot_int8}};
constexpr PeakKernel bf16_peaks[] = {{"vdpbf16ps zmm", Extra::avx512_bf16, 24 * 64, dot_bf16}};
constexpr PeakKernel f32_peaks[] = {{"vfmadd231ps zmm", Extra::none, 24 * 32, fma_f32}};

}  // namespace

const LimitKernels& limit_kernels_avx512() {
  static constexpr LimitKernels table = {read, int8_peaks, bf16_peaks, f32_peaks};
  return table;
}

}  // namespace qn::cpu
