// The limits of AVX2, with AVX-VNNI where the processor has it; see limits_avx512.cpp. Ten sums: sixteen registers are all there are.
#include <immintrin.h>

#include "backend/cpu/limit_kernels.h"

namespace qn::cpu {
namespace {

constexpr std::size_t ahead_bytes = 4096;

std::uint64_t read(const std::byte* bytes, std::size_t count) {
  __m256i sum[8] = {};
  for (const std::byte* end = bytes + count; bytes != end; bytes += 256) {
    for (int i = 0; i < 8; i += 2) _mm_prefetch(reinterpret_cast<const char*>(bytes) + ahead_bytes + 32 * i, _MM_HINT_T0);
    for (int i = 0; i < 8; ++i) sum[i] = _mm256_xor_si256(sum[i], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32 * i)));
  }
  for (int i = 1; i < 8; ++i) sum[0] = _mm256_xor_si256(sum[0], sum[i]);
  return static_cast<std::uint64_t>(_mm256_extract_epi64(sum[0], 0) ^ _mm256_extract_epi64(sum[0], 1) ^ _mm256_extract_epi64(sum[0], 2) ^
                                    _mm256_extract_epi64(sum[0], 3));
}

#define QN_PEAK_256(name, step, ones)                                                                                                \
  void name(std::int64_t rounds) {                                                                                                   \
    asm volatile(                                                                                                                    \
        ".irp r,0,1,2,3,4,5,6,7,8,9\n"                                                                                               \
        "vpxor %%ymm\\r, %%ymm\\r, %%ymm\\r\n"                                                                                       \
        ".endr\n"                                                                                                                    \
        "vmovd %1, %%xmm14\n"                                                                                                        \
        "vpbroadcastd %%xmm14, %%ymm14\n"                                                                                            \
        "vmovdqa %%ymm14, %%ymm13\n"                                                                                                 \
        "vpcmpeqw %%ymm15, %%ymm15, %%ymm15\n"                                                                                       \
        "vpabsw %%ymm15, %%ymm15\n"                                                                                                  \
        "1:\n"                                                                                                                       \
        ".irp r,0,1,2,3,4,5,6,7,8,9\n" step                                                                                          \
        ".endr\n"                                                                                                                    \
        "dec %0\n"                                                                                                                   \
        "jnz 1b\n"                                                                                                                   \
        : "+r"(rounds)                                                                                                               \
        : "r"(ones)                                                                                                                  \
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm12", "xmm13", "xmm14", "xmm15"); \
  }

QN_PEAK_256(dot_int8, "%{vex%} vpdpbusd %%ymm13, %%ymm14, %%ymm\\r\n", 0x01010101)
QN_PEAK_256(multiply_add_int8,
            "vpmaddubsw %%ymm13, %%ymm14, %%ymm12\n"
            "vpmaddwd %%ymm15, %%ymm12, %%ymm12\n"
            "vpaddd %%ymm12, %%ymm\\r, %%ymm\\r\n",
            0x01010101)
QN_PEAK_256(fma_f32, "vfmadd231ps %%ymm13, %%ymm14, %%ymm\\r\n", 0x3F800000)

constexpr PeakKernel int8_peaks[] = {{"vpdpbusd ymm", Extra::avx_vnni, 10 * 64, dot_int8},
                                     {"vpmaddubsw ymm", Extra::none, 10 * 64, multiply_add_int8}};
constexpr PeakKernel f32_peaks[] = {{"vfmadd231ps ymm", Extra::none, 10 * 16, fma_f32}};

}  // namespace

const LimitKernels& limit_kernels_avx2() {
  static constexpr LimitKernels table = {read, int8_peaks, {}, f32_peaks};
  return table;
}

}  // namespace qn::cpu
