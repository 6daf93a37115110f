#include "base/cpu_features.h"

#include <cstdlib>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace qn {
namespace {

#if defined(__x86_64__)
// clang 14's __builtin_cpu_supports does not know "f16c": CPUID leaf 1, ECX bit 29.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 29 & 1) != 0;
}
#endif

#if defined(__x86_64__)
// Leaf 7, subleaf 1, EAX bit 4; clang 14's __builtin_cpu_supports does not know it either.
bool has_avx_vnni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 4 & 1) != 0;
}
#endif

bool has(Isa isa) {
  if (isa == Isa::scalar) return true;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c()) return false;
  if (isa == Isa::avx2) return true;
  if (isa == Isa::avxvnni) return has_avx_vnni();
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

std::vector<Isa> find_usable() {
  const char* most = std::getenv("QN_FORCE_ISA");
  std::vector<Isa> usable;
  for (const Isa isa : {Isa::scalar, Isa::avx2, Isa::avxvnni, Isa::avx512}) {
    if (has(isa)) usable.push_back(isa);
    if (most != nullptr && name(isa) == most) break;
  }
  return usable;
}

}  // namespace

std::string_view name(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::avx2: return "avx2";
    case Isa::avxvnni: return "avxvnni";
    case Isa::avx512: return "avx512";
  }
  return "unknown";
}

std::span<const Isa> usable_isas() {
  static const std::vector<Isa> usable = find_usable();
  return usable;
}

Isa best_isa() {
  return usable_isas().back();
}

Isa usable_isa(Isa most) {
  Isa last = Isa::scalar;
  for (const Isa isa : usable_isas())
    if (isa <= most) last = isa;
  return last;
}

void flush_denormals() {
#if defined(__x86_64__)
  _MM_SET_FLUSH_ZERO_MODE(_MM_FLUSH_ZERO_ON);
  _mm_setcsr(_mm_getcsr() | 0x0040);  // denormals are zero
#endif
}

}  // namespace qn
