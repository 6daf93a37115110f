// Sixteen lanes in two 256-bit registers; see simd_scalar.h for what each name promises. Needs AVX2, FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "backend/cpu/inlining.h"
#include "base/cpu_features.h"

namespace qn::cpu {
namespace {

constexpr Isa this_isa = Isa::avx2;
constexpr int token_tile = 3;
constexpr int biased_by = 0;

struct Floats {
  __m256 low, high;
};
struct Ints {
  __m256i low, high;
};
struct Bytes {
  __m256i low, high;
};

QN_FORCE_INLINE __m256i lane_numbers() {
  return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}
QN_FORCE_INLINE __m256i before(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane_numbers());
}  // lanes < count

QN_FORCE_INLINE Floats set(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
QN_FORCE_INLINE Floats load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
QN_FORCE_INLINE Floats load_first(const float* p, int count) {
  return {_mm256_maskload_ps(p, before(count)), _mm256_maskload_ps(p + 8, before(count - 8))};
}
QN_FORCE_INLINE void store(float* p, Floats x) {
  _mm256_storeu_ps(p, x.low);
  _mm256_storeu_ps(p + 8, x.high);
}
QN_FORCE_INLINE void store_first(float* p, Floats x, int count) {
  _mm256_maskstore_ps(p, before(count), x.low);
  _mm256_maskstore_ps(p + 8, before(count - 8), x.high);
}
QN_FORCE_INLINE Floats add(Floats a, Floats b) {
  return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
}
QN_FORCE_INLINE Floats sub(Floats a, Floats b) {
  return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
}
QN_FORCE_INLINE Floats mul(Floats a, Floats b) {
  return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
}
QN_FORCE_INLINE Floats div(Floats a, Floats b) {
  return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
}
QN_FORCE_INLINE Floats fma(Floats a, Floats b, Floats c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
QN_FORCE_INLINE Floats fma_negated(Floats a, Floats b, Floats c) {
  return {_mm256_fnmadd_ps(a.low, b.low, c.low), _mm256_fnmadd_ps(a.high, b.high, c.high)};
}
QN_FORCE_INLINE Floats fma_first(Floats a, Floats b, Floats c, int count) {
  const Floats all = fma(a, b, c);
  return {_mm256_blendv_ps(c.low, all.low, _mm256_castsi256_ps(before(count))),
          _mm256_blendv_ps(c.high, all.high, _mm256_castsi256_ps(before(count - 8)))};
}
QN_FORCE_INLINE Floats larger(Floats a, Floats b) {
  return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
}
QN_FORCE_INLINE Floats where_between(int begin, int end, Floats a, float otherwise) {
  const __m256 other = _mm256_set1_ps(otherwise);
  const __m256i low = _mm256_andnot_si256(before(begin), before(end));
  const __m256i high = _mm256_andnot_si256(before(begin - 8), before(end - 8));
  return {_mm256_blendv_ps(other, a.low, _mm256_castsi256_ps(low)), _mm256_blendv_ps(other, a.high, _mm256_castsi256_ps(high))};
}
QN_FORCE_INLINE Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {
  return {_mm256_blendv_ps(otherwise.low, then.low, _mm256_cmp_ps(a.low, b.low, _CMP_LT_OQ)),
          _mm256_blendv_ps(otherwise.high, then.high, _mm256_cmp_ps(a.high, b.high, _CMP_LT_OQ))};
}
QN_FORCE_INLINE __m256 power_of_two(__m256 x) {
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(x), 23), _mm256_set1_epi32(0x3f800000)));
}
QN_FORCE_INLINE Floats power_of_two(Floats x) {
  return {power_of_two(x.low), power_of_two(x.high)};
}
QN_FORCE_INLINE float fold(Floats x) {
  const __m256 a = _mm256_add_ps(x.low, x.high);
  __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  b = _mm_add_ps(b, _mm_movehl_ps(b, b));
  b = _mm_add_ss(b, _mm_shuffle_ps(b, b, 1));
  return _mm_cvtss_f32(b);
}
// The same tree for eight vectors at once: each step halves the number of vectors and packs what is left.
QN_FORCE_INLINE __m256 fold_eight(const Floats* x) {
  __m256 a[8], b[4], c[2];
  QN_UNROLL for (int i = 0; i < 8; ++i) a[i] = _mm256_add_ps(x[i].low, x[i].high);
  QN_UNROLL for (int i = 0; i < 4; ++i)  // four lanes each: x[i], x[i + 4]
      b[i] = _mm256_add_ps(_mm256_permute2f128_ps(a[i], a[i + 4], 0x20), _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
  QN_UNROLL for (int i = 0; i < 2; ++i)  // two lanes each: x[i], x[i + 2], then the same + 4
      c[i] = _mm256_add_ps(_mm256_shuffle_ps(b[i], b[i + 2], 0x44), _mm256_shuffle_ps(b[i], b[i + 2], 0xee));
  const __m256 folded = _mm256_add_ps(_mm256_shuffle_ps(c[0], c[1], 0x88), _mm256_shuffle_ps(c[0], c[1], 0xdd));
  return _mm256_permute_ps(folded, 0xd8);  // lanes were 0, 2, 1, 3 in each half
}
QN_FORCE_INLINE Floats fold_each(const Floats* x) {
  return {fold_eight(x), fold_eight(x + 8)};
}
QN_FORCE_INLINE float fold_larger(Floats x) {
  const __m256 a = _mm256_max_ps(x.low, x.high);
  __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  b = _mm_max_ps(b, _mm_movehl_ps(b, b));
  b = _mm_max_ss(b, _mm_shuffle_ps(b, b, 1));
  return _mm_cvtss_f32(b);
}
QN_FORCE_INLINE __m128i load_16_bytes(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}
QN_FORCE_INLINE Floats load_f16(const std::byte* p) {
  return {_mm256_cvtph_ps(load_16_bytes(p)), _mm256_cvtph_ps(load_16_bytes(p + 16))};
}
QN_FORCE_INLINE __m256 from_bf16(__m128i x) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}
QN_FORCE_INLINE Floats load_bf16(const std::byte* p) {
  return {from_bf16(load_16_bytes(p)), from_bf16(load_16_bytes(p + 16))};
}

QN_FORCE_INLINE Ints zero() {
  return {_mm256_setzero_si256(), _mm256_setzero_si256()};
}
QN_FORCE_INLINE Ints set(std::int32_t x) {
  return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
}
QN_FORCE_INLINE Ints add(Ints a, Ints b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
QN_FORCE_INLINE Ints sub(Ints a, Ints b) {
  return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)};
}
QN_FORCE_INLINE Ints mul(Ints a, Ints b) {
  return {_mm256_mullo_epi32(a.low, b.low), _mm256_mullo_epi32(a.high, b.high)};
}
template <int bits>
QN_FORCE_INLINE Ints shift_left(Ints a) {
  return {_mm256_slli_epi32(a.low, bits), _mm256_slli_epi32(a.high, bits)};
}
QN_FORCE_INLINE Floats to_floats(Ints a) {
  return {_mm256_cvtepi32_ps(a.low), _mm256_cvtepi32_ps(a.high)};
}
QN_FORCE_INLINE Ints load_pairs_u8(const std::byte* p) {
  return {_mm256_cvtepu8_epi16(load_16_bytes(p)), _mm256_cvtepu8_epi16(load_16_bytes(p + 16))};
}
QN_FORCE_INLINE Ints load_pairs_s8(const std::byte* p) {
  return {_mm256_cvtepi8_epi16(load_16_bytes(p)), _mm256_cvtepi8_epi16(load_16_bytes(p + 16))};
}
QN_FORCE_INLINE Ints load_pairs_s16(const std::byte* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))};
}
QN_FORCE_INLINE Ints load_u8(const std::byte* p) {
  const __m128i bytes = load_16_bytes(p);
  return {_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))};
}
QN_FORCE_INLINE Ints first_of_pair(Ints a) {
  return {_mm256_srai_epi32(_mm256_slli_epi32(a.low, 16), 16), _mm256_srai_epi32(_mm256_slli_epi32(a.high, 16), 16)};
}
QN_FORCE_INLINE Ints second_of_pair(Ints a) {
  return {_mm256_srai_epi32(a.low, 16), _mm256_srai_epi32(a.high, 16)};
}
QN_FORCE_INLINE __m256i broadcast4(const void* p) {
  std::int32_t x;
  std::memcpy(&x, p, sizeof x);
  return _mm256_set1_epi32(x);
}
QN_FORCE_INLINE Ints dot2(Ints acc, Ints pairs, const std::int16_t* x) {
  const __m256i b = broadcast4(x);
  return {_mm256_add_epi32(acc.low, _mm256_madd_epi16(pairs.low, b)), _mm256_add_epi32(acc.high, _mm256_madd_epi16(pairs.high, b))};
}

QN_FORCE_INLINE Bytes load_bytes(const std::byte* p) {
  return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))};
}
QN_FORCE_INLINE Bytes low_nibbles(Bytes a) {
  const __m256i mask = _mm256_set1_epi8(15);
  return {_mm256_and_si256(a.low, mask), _mm256_and_si256(a.high, mask)};
}
QN_FORCE_INLINE Bytes high_nibbles(Bytes a) {
  return low_nibbles({_mm256_srli_epi16(a.low, 4), _mm256_srli_epi16(a.high, 4)});
}
QN_FORCE_INLINE Bytes look_up(Bytes index, const std::uint8_t (&table)[16]) {
  const __m256i copies = _mm256_broadcastsi128_si256(load_16_bytes(table));
  return {_mm256_shuffle_epi8(copies, index.low), _mm256_shuffle_epi8(copies, index.high)};
}
template <int right>
QN_FORCE_INLINE __m256i shift_words(__m256i a) {
  if constexpr (right > 0) return _mm256_srli_epi16(a, right);
  if constexpr (right < 0) return _mm256_slli_epi16(a, -right);
  return a;
}
template <int right>
QN_FORCE_INLINE Bytes join_masked(Bytes low, Bytes high, char bits) {
  const __m256i mask = _mm256_set1_epi8(bits);
  return {_mm256_or_si256(low.low, _mm256_and_si256(shift_words<right>(high.low), mask)),
          _mm256_or_si256(low.high, _mm256_and_si256(shift_words<right>(high.high), mask))};
}
template <int which>
QN_FORCE_INLINE Bytes join_two_bits(Bytes low, Bytes high) {
  return join_masked<2 * which - 4>(low, high, 0x30);
}
template <int which, int to = 4>
QN_FORCE_INLINE Bytes join_bit(Bytes low, Bytes high) {
  return join_masked<which - to>(low, high, 1 << to);
}
template <int which>
QN_FORCE_INLINE Bytes two_bits(Bytes a) {
  const __m256i mask = _mm256_set1_epi8(3);
  return {_mm256_and_si256(shift_words<2 * which>(a.low), mask), _mm256_and_si256(shift_words<2 * which>(a.high), mask)};
}
// Pairs of products stay below 2 * 63 * 127 < 2^15, so the saturating multiply never saturates.
QN_FORCE_INLINE __m256i dot4(__m256i acc, __m256i codes, __m256i x) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, x), _mm256_set1_epi16(1)));
}
QN_FORCE_INLINE Ints dot4(Ints acc, Bytes codes, const std::int8_t* x) {
  const __m256i b = broadcast4(x);
  return {dot4(acc.low, codes.low, b), dot4(acc.high, codes.high, b)};
}
// |code| * (x with code's sign): at most 2 * 128 * 127 < 2^15 again.
QN_FORCE_INLINE __m256i dot4_signed(__m256i acc, __m256i codes, __m256i x) {
  return dot4(acc, _mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes));
}
QN_FORCE_INLINE Ints dot4_biased(Ints acc, Bytes codes, const std::int8_t* x) {
  const __m256i b = broadcast4(x), bias = _mm256_set1_epi8(-128);
  return {dot4_signed(acc.low, _mm256_xor_si256(codes.low, bias), b), dot4_signed(acc.high, _mm256_xor_si256(codes.high, bias), b)};
}

QN_FORCE_INLINE std::uint32_t largest_magnitude(const float* x, int count) {
  __m256i largest = _mm256_setzero_si256();
  for (int i = 0; i < count; i += 8) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    largest = _mm256_max_epu32(largest, _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff)));
  }
  __m128i a = _mm_max_epu32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
  a = _mm_max_epu32(a, _mm_shuffle_epi32(a, 0x4e));
  a = _mm_max_epu32(a, _mm_shuffle_epi32(a, 0xb1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(a));
}
QN_FORCE_INLINE int store_codes(std::int8_t* to, const float* x, float inverse) {
  const __m256 scale = _mm256_set1_ps(inverse);
  const __m256i low = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x), scale));
  const __m256i high = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8), scale));
  const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  const __m256i sums = _mm256_add_epi32(low, high);
  __m128i a = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0x4e));
  a = _mm_add_epi32(a, _mm_shuffle_epi32(a, 0xb1));
  return _mm_cvtsi128_si32(a);
}

}  // namespace
}  // namespace qn::cpu
