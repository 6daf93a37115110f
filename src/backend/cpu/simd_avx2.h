// Sixteen lanes in two 256-bit registers; see simd_scalar.h for what each name promises. Needs AVX2, FMA and F16C.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "backend/cpu/inlining.h"
#include "backend/cpu/simd_gather.h"
#include "base/cpu_features.h"

namespace qn::cpu {
namespace {

constexpr int panel_tile = 1;
constexpr int token_tile = 3;
constexpr int most_direct_tokens = 3;
#ifdef QN_AVX_VNNI  // kernels_avxvnni.cpp
constexpr Isa this_isa = Isa::avxvnni;
constexpr int signed_bias = 128;
constexpr bool signed_is_different = false;
#else
constexpr Isa this_isa = Isa::avx2;
constexpr int signed_bias = 0;
constexpr bool signed_is_different = true;
#endif

struct Floats {
  __m256 low, high;
};
struct Ints {
  __m256i low, high;
};
struct Bytes {
  __m256i low, high;
};
using Quad = __m256i;

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
// The same tree for eight vectors at once: each step halves the number of vectors and packs what is left. Of two vectors, each half of
// one is added to the other half of the same: one shuffle and one or two blends, which are cheaper.
QN_FORCE_INLINE __m256 fold_eight(const Floats* x) {
  __m256 a[8], b[4], c[2];
  QN_UNROLL for (int i = 0; i < 8; ++i) a[i] = _mm256_add_ps(x[i].low, x[i].high);
  QN_UNROLL for (int i = 0; i < 4; ++i)  // four lanes each: x[i], x[i + 4]
      b[i] = _mm256_add_ps(_mm256_blend_ps(a[i], a[i + 4], 0xf0), _mm256_permute2f128_ps(a[i], a[i + 4], 0x21));
  QN_UNROLL for (int i = 0; i < 2; ++i)  // two lanes each: x[i], x[i + 2], then the same + 4
      c[i] = _mm256_add_ps(_mm256_blend_ps(b[i], b[i + 2], 0xcc), _mm256_shuffle_ps(b[i], b[i + 2], 0x4e));
  return _mm256_add_ps(_mm256_blend_ps(c[0], c[1], 0xaa), _mm256_permute_ps(_mm256_blend_ps(c[1], c[0], 0xaa), 0xb1));
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
QN_FORCE_INLINE __m256i load_32(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
QN_FORCE_INLINE void store_32(void* p, __m256i x) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), x);
}
QN_FORCE_INLINE Ints load_ints(const std::int32_t* p) {
  return {load_32(p), load_32(p + 8)};
}
QN_FORCE_INLINE void store_ints(std::int32_t* p, Ints x) {
  store_32(p, x.low);
  store_32(p + 8, x.high);
}
QN_FORCE_INLINE Ints load_pairs(const std::int16_t (*p)[2]) {
  return {load_32(p), load_32(p + 8)};
}
QN_FORCE_INLINE void store_pairs(std::int16_t (*p)[2], Ints x) {
  store_32(p, x.low);
  store_32(p + 8, x.high);
}
QN_FORCE_INLINE __m256i broadcast4(const void* p) {
  std::int32_t x;
  std::memcpy(&x, p, sizeof x);
  return _mm256_set1_epi32(x);
}
QN_FORCE_INLINE Ints dot2(Ints acc, Ints pairs, const std::int16_t* x) {
  const __m256i b = broadcast4(x);
#ifdef QN_AVX_VNNI
  return {_mm256_dpwssd_avx_epi32(acc.low, pairs.low, b), _mm256_dpwssd_avx_epi32(acc.high, pairs.high, b)};
#else
  return {_mm256_add_epi32(acc.low, _mm256_madd_epi16(pairs.low, b)), _mm256_add_epi32(acc.high, _mm256_madd_epi16(pairs.high, b))};
#endif
}

QN_FORCE_INLINE Bytes load_bytes(const std::uint8_t* p) {
  return {load_32(p), load_32(p + 32)};
}
QN_FORCE_INLINE void store_bytes(std::uint8_t* p, Bytes x) {
  store_32(p, x.low);
  store_32(p + 32, x.high);
}

QN_FORCE_INLINE __m256i two_rows(RowPointers rows, int r, int offset) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(load_16_bytes(rows.row(r) + offset)), load_16_bytes(rows.row(r + 4) + offset), 1);
}
// Dword i of rows [first, first + 8) in out[i].
QN_FORCE_INLINE void transpose_eight(RowPointers rows, int first, int offset, __m256i (&out)[4]) {
  const __m256i a = two_rows(rows, first, offset), b = two_rows(rows, first + 1, offset);
  const __m256i c = two_rows(rows, first + 2, offset), d = two_rows(rows, first + 3, offset);
  const __m256i ab_low = _mm256_unpacklo_epi32(a, b), ab_high = _mm256_unpackhi_epi32(a, b);
  const __m256i cd_low = _mm256_unpacklo_epi32(c, d), cd_high = _mm256_unpackhi_epi32(c, d);
  out[0] = _mm256_unpacklo_epi64(ab_low, cd_low);
  out[1] = _mm256_unpackhi_epi64(ab_low, cd_low);
  out[2] = _mm256_unpacklo_epi64(ab_high, cd_high);
  out[3] = _mm256_unpackhi_epi64(ab_high, cd_high);
}
QN_FORCE_INLINE void transpose_16_to(RowPointers rows, int offset, Bytes* out) {
  __m256i low[4], high[4];
  transpose_eight(rows, 0, offset, low);
  transpose_eight(rows, 8, offset, high);
  QN_UNROLL for (int i = 0; i < 4; ++i) out[i] = {low[i], high[i]};
}
QN_FORCE_INLINE void transpose_16(RowPointers rows, int offset, Bytes (&out)[4]) {
  transpose_16_to(rows, offset, out);
}
QN_FORCE_INLINE void transpose_32(RowPointers rows, int offset, Bytes (&out)[8]) {
  transpose_16_to(rows, offset, out);
  transpose_16_to(rows, offset + 16, out + 4);
}

template <int right>
QN_FORCE_INLINE __m256i shift_words(__m256i a) {
  if constexpr (right > 0) return _mm256_srli_epi16(a, right);
  if constexpr (right < 0) return _mm256_slli_epi16(a, -right);
  return a;
}
template <int right, int mask>
QN_FORCE_INLINE Bytes bits(Bytes a) {
  const __m256i kept = _mm256_set1_epi8(mask);
  return {_mm256_and_si256(shift_words<right>(a.low), kept), _mm256_and_si256(shift_words<right>(a.high), kept)};
}
template <int right, int mask>
QN_FORCE_INLINE Bytes join_bits(Bytes low, Bytes high) {
  const Bytes more = bits<right, mask>(high);
  return {_mm256_or_si256(low.low, more.low), _mm256_or_si256(low.high, more.high)};
}
// All ones in byte k of a lane where bit 4 * quad + k of the lane's word is set.
template <int quad>
QN_FORCE_INLINE __m256i spread_bits(__m256i word) {
  constexpr int byte = quad / 2 * 0x01010101, four = quad % 2 == 0 ? 0x08040201 : static_cast<int>(0x80402010u);
  const __m256i copies_of = _mm256_broadcastsi128_si256(_mm_setr_epi32(byte, byte + 0x04040404, byte + 0x08080808, byte + 0x0c0c0c0c));
  const __m256i wanted = _mm256_set1_epi32(four);
  return _mm256_cmpeq_epi8(_mm256_and_si256(_mm256_shuffle_epi8(word, copies_of), wanted), wanted);
}
template <int quad>
QN_FORCE_INLINE Bytes join_spread(Bytes low, Bytes word) {
  const __m256i sixteen = _mm256_set1_epi8(16);
  return {_mm256_or_si256(low.low, _mm256_and_si256(spread_bits<quad>(word.low), sixteen)),
          _mm256_or_si256(low.high, _mm256_and_si256(spread_bits<quad>(word.high), sixteen))};
}
template <int quad>
QN_FORCE_INLINE __m256i negate_spread(__m256i codes, __m256i word) {
  const __m256i negative = spread_bits<quad>(word);
  return _mm256_sub_epi8(_mm256_xor_si256(codes, negative), negative);
}
template <int quad>
QN_FORCE_INLINE Bytes negate_spread(Bytes codes, Bytes word) {
  return {negate_spread<quad>(codes.low, word.low), negate_spread<quad>(codes.high, word.high)};
}
QN_FORCE_INLINE Bytes look_up(Bytes index, const std::int8_t (&table)[16]) {
  const __m256i copies = _mm256_broadcastsi128_si256(load_16_bytes(table));
  return {_mm256_shuffle_epi8(copies, index.low), _mm256_shuffle_epi8(copies, index.high)};
}
QN_FORCE_INLINE Bytes from_signed(Bytes a) {
#ifdef QN_AVX_VNNI
  const __m256i bias = _mm256_set1_epi8(-128);
  return {_mm256_xor_si256(a.low, bias), _mm256_xor_si256(a.high, bias)};
#else
  return a;
#endif
}
QN_FORCE_INLINE Bytes plus(Bytes a, Bytes b) {
  return {_mm256_add_epi8(a.low, b.low), _mm256_add_epi8(a.high, b.high)};
}
QN_FORCE_INLINE Bytes one_from(Bytes a, int least) {
  const __m256i below = _mm256_set1_epi8(static_cast<char>(least - 1)), one = _mm256_set1_epi8(1);
  return {_mm256_min_epu8(_mm256_subs_epu8(a.low, below), one), _mm256_min_epu8(_mm256_subs_epu8(a.high, below), one)};
}
QN_FORCE_INLINE Bytes straddle(Bytes a, Bytes b) {
  return {_mm256_or_si256(_mm256_srli_epi32(a.low, 16), _mm256_slli_epi32(b.low, 16)),
          _mm256_or_si256(_mm256_srli_epi32(a.high, 16), _mm256_slli_epi32(b.high, 16))};
}
QN_FORCE_INLINE __m256i masked(__m256i a, int mask) {
  return _mm256_and_si256(a, _mm256_set1_epi32(mask));
}
QN_FORCE_INLINE __m256i spread_sevens(__m256i w) {
  const __m256i low = _mm256_or_si256(masked(w, 0x7f), masked(_mm256_slli_epi32(w, 1), 0x7f00));
  return _mm256_or_si256(low, _mm256_or_si256(masked(_mm256_slli_epi32(w, 2), 0x7f0000), masked(_mm256_slli_epi32(w, 3), 0x7f000000)));
}
QN_FORCE_INLINE Bytes spread_sevens(Bytes word) {
  return {spread_sevens(word.low), spread_sevens(word.high)};
}
QN_FORCE_INLINE __m256i upper_sevens(__m256i a, __m256i b) {
  const __m256i low = _mm256_or_si256(masked(_mm256_srli_epi32(a, 9), 0x7f), masked(_mm256_srli_epi32(a, 17), 0x7f00));
  return _mm256_or_si256(low, _mm256_or_si256(masked(_mm256_slli_epi32(b, 7), 0x7f0000), masked(_mm256_srli_epi32(b, 1), 0x7f000000)));
}
QN_FORCE_INLINE Bytes upper_sevens(Bytes a, Bytes b) {
  return {upper_sevens(a.low, b.low), upper_sevens(a.high, b.high)};
}
QN_FORCE_INLINE __m256i with_parity(__m256i word) {
  __m256i p = _mm256_xor_si256(word, _mm256_srli_epi32(word, 4));
  p = _mm256_xor_si256(p, _mm256_srli_epi32(p, 2));
  p = _mm256_xor_si256(p, _mm256_srli_epi32(p, 1));
  return _mm256_or_si256(word, masked(_mm256_slli_epi32(p, 7), static_cast<int>(0x80808080u)));
}
QN_FORCE_INLINE Bytes with_parity(Bytes word) {
  return {with_parity(word.low), with_parity(word.high)};
}
QN_FORCE_INLINE Bytes words_upper(Bytes a) {
  return {_mm256_srli_epi32(a.low, 16), _mm256_srli_epi32(a.high, 16)};
}
QN_FORCE_INLINE Bytes as_bytes(Ints a) {
  return {a.low, a.high};
}
template <int right, int width>
QN_FORCE_INLINE Ints field(Bytes a) {
  const __m256i mask = _mm256_set1_epi32((1 << width) - 1);
  return {_mm256_and_si256(_mm256_srli_epi32(a.low, right), mask), _mm256_and_si256(_mm256_srli_epi32(a.high, right), mask)};
}
template <int which>
QN_FORCE_INLINE Ints signed_byte(Bytes a) {
  return {_mm256_srai_epi32(_mm256_slli_epi32(a.low, 24 - 8 * which), 24),
          _mm256_srai_epi32(_mm256_slli_epi32(a.high, 24 - 8 * which), 24)};
}
QN_FORCE_INLINE Ints first_bytes(Bytes a) {
  const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
  return {_mm256_shuffle_epi8(a.low, order), _mm256_shuffle_epi8(a.high, order)};
}
QN_FORCE_INLINE Ints second_bytes(Bytes a) {
  const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1));
  return {_mm256_shuffle_epi8(a.low, order), _mm256_shuffle_epi8(a.high, order)};
}
// The low or high halves of eight lanes as eight words.
QN_FORCE_INLINE __m128i low_words(__m256i a) {
  const __m256i masked = _mm256_and_si256(a, _mm256_set1_epi32(0xffff));
  return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_packus_epi32(masked, masked), 0x08));
}
QN_FORCE_INLINE Floats low_half(Bytes a) {
  return {_mm256_cvtph_ps(low_words(a.low)), _mm256_cvtph_ps(low_words(a.high))};
}
QN_FORCE_INLINE Floats high_half(Bytes a) {
  return low_half({_mm256_srli_epi32(a.low, 16), _mm256_srli_epi32(a.high, 16)});
}
QN_FORCE_INLINE Floats negated(Floats a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(a.low, sign), _mm256_xor_ps(a.high, sign)};
}
QN_FORCE_INLINE Floats gather_f16(RowPointers rows, int offset) {
  return {_mm256_cvtph_ps(gather_eight_u16(rows, 0, offset)), _mm256_cvtph_ps(gather_eight_u16(rows, 8, offset))};
}
QN_FORCE_INLINE Bytes gather_u32(RowPointers rows, int offset) {
  return {_mm256_setr_m128i(gather_four_u32(rows, 0, offset), gather_four_u32(rows, 4, offset)),
          _mm256_setr_m128i(gather_four_u32(rows, 8, offset), gather_four_u32(rows, 12, offset))};
}
QN_FORCE_INLINE Ints gather_u8(RowPointers rows, int offset) {
  const __m128i bytes = gather_sixteen_u8(rows, offset);
  return {_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))};
}
QN_FORCE_INLINE __m256 exponents(__m256i e) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_max_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), _mm256_setzero_si256()), 23));
}
QN_FORCE_INLINE Floats exponents(Ints e) {
  return {exponents(e.low), exponents(e.high)};
}
QN_FORCE_INLINE Quad load_quad(const std::int8_t* p) {
  return broadcast4(p);
}
#ifdef QN_AVX_VNNI
QN_FORCE_INLINE __m256i dot4(__m256i acc, __m256i codes, __m256i x) {
  return _mm256_dpbusd_avx_epi32(acc, codes, x);
}
QN_FORCE_INLINE __m256i dot4_signed(__m256i acc, __m256i codes, __m256i x) {
  return dot4(acc, codes, x);
}
#else
// Pairs of products stay below 2 * 63 * 127 < 2^15, so the saturating multiply never saturates.
QN_FORCE_INLINE __m256i dot4(__m256i acc, __m256i codes, __m256i x) {
  return _mm256_add_epi32(acc, _mm256_madd_epi16(_mm256_maddubs_epi16(codes, x), _mm256_set1_epi16(1)));
}
// |code| * (x with code's sign): at most 2 * 128 * 127 < 2^15 again.
QN_FORCE_INLINE __m256i dot4_signed(__m256i acc, __m256i codes, __m256i x) {
  return dot4(acc, _mm256_abs_epi8(codes), _mm256_sign_epi8(x, codes));
}
#endif
QN_FORCE_INLINE Ints dot4(Ints acc, Bytes codes, Quad x) {
  return {dot4(acc.low, codes.low, x), dot4(acc.high, codes.high, x)};
}
QN_FORCE_INLINE Ints dot4_signed(Ints acc, Bytes codes, Quad x) {
  return {dot4_signed(acc.low, codes.low, x), dot4_signed(acc.high, codes.high, x)};
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

// rows of cached keys and values
constexpr int query_tile = 3;
constexpr int key_tile = 2;
constexpr int value_tile = 2;
template <int which>
QN_FORCE_INLINE void store_quarter(float* p, Floats x) {
  _mm_storeu_ps(p, _mm256_extractf128_ps(which < 2 ? x.low : x.high, which % 2));
}
QN_FORCE_INLINE Floats set_f16(const std::byte* p) {
  std::int16_t half;
  std::memcpy(&half, p, sizeof half);
  const __m256 x = _mm256_cvtph_ps(_mm_set1_epi16(half));
  return {x, x};
}
QN_FORCE_INLINE Floats load_s8(const std::byte* p) {
  const __m128i bytes = load_16_bytes(p);
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))};
}
QN_FORCE_INLINE Ints load_u8(const std::byte* p) {
  const __m128i bytes = load_16_bytes(p);
  return {_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))};
}
QN_FORCE_INLINE Ints low_nibble(Ints a) {
  return {_mm256_and_si256(a.low, _mm256_set1_epi32(15)), _mm256_and_si256(a.high, _mm256_set1_epi32(15))};
}
QN_FORCE_INLINE Ints high_nibble(Ints a) {
  return {_mm256_srli_epi32(a.low, 4), _mm256_srli_epi32(a.high, 4)};
}
QN_FORCE_INLINE Ints sixteens(std::uint32_t bits) {
  const __m256i all = _mm256_set1_epi32(static_cast<std::int32_t>(bits)), one = _mm256_set1_epi32(1), sixteen = _mm256_set1_epi32(16);
  const __m256i low = _mm256_sllv_epi32(one, lane_numbers()), high = _mm256_slli_epi32(low, 8);
  return {_mm256_and_si256(_mm256_cmpeq_epi32(_mm256_and_si256(all, low), low), sixteen),
          _mm256_and_si256(_mm256_cmpeq_epi32(_mm256_and_si256(all, high), high), sixteen)};
}
QN_FORCE_INLINE __m256 look_up(__m256i index, const float (&table)[16]) {
  const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index);
  const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), index);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
}
QN_FORCE_INLINE Floats look_up(Ints index, const float (&table)[16]) {
  return {look_up(index.low, table), look_up(index.high, table)};
}

}  // namespace
}  // namespace qn::cpu
