// Sixteen lanes in one 512-bit register; see simd_scalar.h for what each name promises. Needs F, BW, VL, DQ and VNNI.
#pragma once

// GCC 12 warns about the registers that its own header leaves undefined on purpose (GCC bug 105593, mended in 13).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cstdint>
#include <cstring>

#include "backend/cpu/inlining.h"
#include "base/cpu_features.h"

namespace qn::cpu {
namespace {

constexpr Isa this_isa = Isa::avx512;
constexpr int token_tile = 6;
constexpr int biased_by = 128;

using Floats = __m512;
struct Ints {
  __m512i v;
};
struct Bytes {
  __m512i v;
};

QN_FORCE_INLINE __mmask16 first_lanes(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << count) - 1u);
}

QN_FORCE_INLINE Floats set(float x) {
  return _mm512_set1_ps(x);
}
QN_FORCE_INLINE Floats load(const float* p) {
  return _mm512_loadu_ps(p);
}
QN_FORCE_INLINE Floats load_first(const float* p, int count) {
  return _mm512_maskz_loadu_ps(first_lanes(count), p);
}
QN_FORCE_INLINE void store(float* p, Floats x) {
  _mm512_storeu_ps(p, x);
}
QN_FORCE_INLINE void store_first(float* p, Floats x, int count) {
  _mm512_mask_storeu_ps(p, first_lanes(count), x);
}
QN_FORCE_INLINE Floats add(Floats a, Floats b) {
  return _mm512_add_ps(a, b);
}
QN_FORCE_INLINE Floats sub(Floats a, Floats b) {
  return _mm512_sub_ps(a, b);
}
QN_FORCE_INLINE Floats mul(Floats a, Floats b) {
  return _mm512_mul_ps(a, b);
}
QN_FORCE_INLINE Floats div(Floats a, Floats b) {
  return _mm512_div_ps(a, b);
}
QN_FORCE_INLINE Floats fma(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}
QN_FORCE_INLINE Floats fma_negated(Floats a, Floats b, Floats c) {
  return _mm512_fnmadd_ps(a, b, c);
}
QN_FORCE_INLINE Floats fma_first(Floats a, Floats b, Floats c, int count) {
  return _mm512_mask3_fmadd_ps(a, b, c, first_lanes(count));
}
QN_FORCE_INLINE Floats larger(Floats a, Floats b) {
  return _mm512_max_ps(a, b);
}  // b where either is NaN
QN_FORCE_INLINE Floats where_between(int begin, int end, Floats a, float otherwise) {
  const __mmask16 keep = static_cast<__mmask16>(first_lanes(end < 0 ? 0 : end) & ~first_lanes(begin < 0 ? 0 : begin));
  return _mm512_mask_mov_ps(set(otherwise), keep, a);
}
QN_FORCE_INLINE Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
  return _mm512_mask_mov_ps(otherwise, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), then);
}
QN_FORCE_INLINE Floats power_of_two(Floats x) {
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_slli_epi32(_mm512_castps_si512(x), 23), _mm512_set1_epi32(0x3f800000)));
}
QN_FORCE_INLINE float fold(Floats x) {
  __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  b = _mm_add_ps(b, _mm_movehl_ps(b, b));
  b = _mm_add_ss(b, _mm_shuffle_ps(b, b, 1));
  return _mm_cvtss_f32(b);
}
// The same tree for sixteen vectors at once: each step halves the number of vectors and packs what is left.
QN_FORCE_INLINE Floats fold_each(const Floats* x) {
  Floats a[8], b[4], c[2];
  QN_UNROLL for (int i = 0; i < 8; ++i)  // blocks of four lanes: x[i] in 0 and 1, x[i + 8] in 2 and 3
      a[i] = add(_mm512_shuffle_f32x4(x[i], x[i + 8], 0x44), _mm512_shuffle_f32x4(x[i], x[i + 8], 0xee));
  QN_UNROLL for (int i = 0; i < 4; ++i)  // one block each: x[i], x[i + 8], x[i + 4], x[i + 12]
      b[i] = add(_mm512_shuffle_f32x4(a[i], a[i + 4], 0x88), _mm512_shuffle_f32x4(a[i], a[i + 4], 0xdd));
  QN_UNROLL for (int i = 0; i < 2; ++i)  // two lanes each
      c[i] = add(_mm512_shuffle_ps(b[i], b[i + 2], 0x44), _mm512_shuffle_ps(b[i], b[i + 2], 0xee));
  // In each block of four lanes, with its number o of {0, 8, 4, 12}:   x[o], x[o + 1], x[o + 2], x[o + 3] after the last step
  const Floats folded = add(_mm512_shuffle_ps(c[0], c[1], 0x88), _mm512_shuffle_ps(c[0], c[1], 0xdd));
  // lanes now: o + {0, 2, 1, 3}
  const __m512i order = _mm512_setr_epi32(0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15);
  return _mm512_permutexvar_ps(order, folded);
}
QN_FORCE_INLINE float fold_larger(Floats x) {
  __m256 a = _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
  __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  b = _mm_max_ps(b, _mm_movehl_ps(b, b));
  b = _mm_max_ss(b, _mm_shuffle_ps(b, b, 1));
  return _mm_cvtss_f32(b);
}
QN_FORCE_INLINE Floats load_f16(const std::byte* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
QN_FORCE_INLINE Floats load_bf16(const std::byte* p) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

QN_FORCE_INLINE Ints zero() {
  return {_mm512_setzero_si512()};
}
QN_FORCE_INLINE Ints set(std::int32_t x) {
  return {_mm512_set1_epi32(x)};
}
QN_FORCE_INLINE Ints add(Ints a, Ints b) {
  return {_mm512_add_epi32(a.v, b.v)};
}
QN_FORCE_INLINE Ints sub(Ints a, Ints b) {
  return {_mm512_sub_epi32(a.v, b.v)};
}
QN_FORCE_INLINE Ints mul(Ints a, Ints b) {
  return {_mm512_mullo_epi32(a.v, b.v)};
}
template <int bits>
QN_FORCE_INLINE Ints shift_left(Ints a) {
  return {_mm512_slli_epi32(a.v, bits)};
}
QN_FORCE_INLINE Floats to_floats(Ints a) {
  return _mm512_cvtepi32_ps(a.v);
}
QN_FORCE_INLINE Ints load_pairs_u8(const std::byte* p) {
  return {_mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
QN_FORCE_INLINE Ints load_pairs_s8(const std::byte* p) {
  return {_mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
QN_FORCE_INLINE Ints load_pairs_s16(const std::byte* p) {
  return {_mm512_loadu_si512(p)};
}
QN_FORCE_INLINE Ints load_u8(const std::byte* p) {
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
QN_FORCE_INLINE Ints first_of_pair(Ints a) {
  return {_mm512_srai_epi32(_mm512_slli_epi32(a.v, 16), 16)};
}
QN_FORCE_INLINE Ints second_of_pair(Ints a) {
  return {_mm512_srai_epi32(a.v, 16)};
}
QN_FORCE_INLINE __m512i broadcast4(const void* p) {
  std::int32_t x;
  std::memcpy(&x, p, sizeof x);
  return _mm512_set1_epi32(x);
}
QN_FORCE_INLINE Ints dot2(Ints acc, Ints pairs, const std::int16_t* x) {
  return {_mm512_dpwssd_epi32(acc.v, pairs.v, broadcast4(x))};
}

QN_FORCE_INLINE Bytes load_bytes(const std::byte* p) {
  return {_mm512_loadu_si512(p)};
}
QN_FORCE_INLINE Bytes low_nibbles(Bytes a) {
  return {_mm512_and_si512(a.v, _mm512_set1_epi8(15))};
}
QN_FORCE_INLINE Bytes high_nibbles(Bytes a) {
  return {_mm512_and_si512(_mm512_srli_epi16(a.v, 4), _mm512_set1_epi8(15))};
}
QN_FORCE_INLINE Bytes look_up(Bytes index, const std::uint8_t (&table)[16]) {
  const __m512i copies = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  return {_mm512_shuffle_epi8(copies, index.v)};
}
template <int which>
QN_FORCE_INLINE Bytes join_two_bits(Bytes low, Bytes high) {
  constexpr int right = 2 * which - 4;
  __m512i moved = high.v;
  if constexpr (right > 0) moved = _mm512_srli_epi16(high.v, right);
  if constexpr (right < 0) moved = _mm512_slli_epi16(high.v, -right);
  return {_mm512_ternarylogic_epi32(low.v, moved, _mm512_set1_epi8(0x30), 0xf8)};  // low | (moved & mask)
}
template <int which, int to = 4>
QN_FORCE_INLINE Bytes join_bit(Bytes low, Bytes high) {
  constexpr int right = which - to;
  __m512i moved = high.v;
  if constexpr (right > 0) moved = _mm512_srli_epi16(high.v, right);
  if constexpr (right < 0) moved = _mm512_slli_epi16(high.v, -right);
  return {_mm512_ternarylogic_epi32(low.v, moved, _mm512_set1_epi8(1 << to), 0xf8)};
}
template <int which>
QN_FORCE_INLINE Bytes two_bits(Bytes a) {
  return {_mm512_and_si512(_mm512_srli_epi16(a.v, 2 * which), _mm512_set1_epi8(3))};
}
QN_FORCE_INLINE Ints dot4(Ints acc, Bytes codes, const std::int8_t* x) {
  return {_mm512_dpbusd_epi32(acc.v, codes.v, broadcast4(x))};
}
QN_FORCE_INLINE Ints dot4_biased(Ints acc, Bytes codes, const std::int8_t* x) {
  return dot4(acc, codes, x);
}

QN_FORCE_INLINE std::uint32_t largest_magnitude(const float* x, int count) {
  __m512i largest = _mm512_setzero_si512();
  for (int i = 0; i < count; i += 16)
    largest = _mm512_max_epu32(largest, _mm512_and_si512(_mm512_loadu_si512(x + i), _mm512_set1_epi32(0x7fffffff)));
  return _mm512_reduce_max_epu32(largest);
}
QN_FORCE_INLINE int store_codes(std::int8_t* to, const float* x, float inverse) {
  const __m512i codes = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(inverse)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(codes));
  return _mm512_reduce_add_epi32(codes);
}

}  // namespace
}  // namespace qn::cpu
