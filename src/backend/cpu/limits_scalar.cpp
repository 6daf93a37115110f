// The limits of what every processor of a kind has: vectors of 16 bytes, as the compiler makes them (SSE2 on x86-64).
#include <cstring>

#include "backend/cpu/limit_kernels.h"

namespace qn::cpu {
namespace {

using Words = std::uint64_t __attribute__((vector_size(16)));
using FourFloats = float __attribute__((vector_size(16)));

std::uint64_t read(const std::byte* bytes, std::size_t count) {
  Words sum[4] = {};
  for (const std::byte* end = bytes + count; bytes != end; bytes += 64) {
    __builtin_prefetch(bytes + 4096);
    for (int i = 0; i < 4; ++i) {
      Words words;
      std::memcpy(&words, bytes + 16 * i, sizeof words);
      sum[i] ^= words;
    }
  }
  const Words all = sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
  return all[0] ^ all[1];
}

// A product and a sum, rounded each: what code for any x86-64 does where the source says fma is a call.
void multiply_add_f32(std::int64_t rounds) {
  FourFloats sum[10] = {};
  FourFloats one = {1, 1, 1, 1};
  for (; rounds > 0; --rounds) {
    for (FourFloats& s : sum) {
      asm volatile("" : "+x"(one));  // so that the products are computed
      s += one * one;
    }
  }
  for (FourFloats& s : sum) asm volatile("" ::"x"(s));
}

constexpr PeakKernel f32_peaks[] = {{"multiply, add", Extra::none, 10 * 8, multiply_add_f32}};

}  // namespace

const LimitKernels& limit_kernels_scalar() {
  static constexpr LimitKernels table = {read, {}, {}, f32_peaks};
  return table;
}

}  // namespace qn::cpu
