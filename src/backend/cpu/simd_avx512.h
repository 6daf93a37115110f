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
#include "backend/cpu/simd_gather.h"
#include "base/cpu_features.h"

namespace qn::cpu {
namespace {

constexpr Isa this_isa = Isa::avx512;
constexpr int panel_tile = 2;
constexpr int token_tile = 6;
constexpr int most_direct_tokens = 4;
constexpr int signed_bias = 128;
constexpr bool signed_is_different = false;

using Floats = __m512;
struct Ints {
  __m512i v;
};
struct Bytes {
  __m512i v;
};
using Quad = __m512i;

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
// The same tree for sixteen vectors at once: each step halves the number of vectors and packs what is left. Of two vectors, each half
// of one is added to the other half of the same: one shuffle and one or two blends, which are cheaper.
QN_FORCE_INLINE Floats fold_each(const Floats* x) {
  Floats a[8], b[4], c[2];
  QN_UNROLL for (int i = 0; i < 8; ++i)  // blocks of four lanes: x[i] in 0 and 1, x[i + 8] in 2 and 3
      a[i] = add(_mm512_mask_blend_ps(0xff00, x[i], x[i + 8]), _mm512_shuffle_f32x4(x[i], x[i + 8], 0x4e));
  QN_UNROLL for (int i = 0; i < 4; ++i) {  // one block each: x[i], x[i + 4], x[i + 8], x[i + 12]
    const Floats other = _mm512_mask_blend_ps(0xf0f0, a[i + 4], a[i]);
    b[i] = add(_mm512_mask_blend_ps(0xf0f0, a[i], a[i + 4]), _mm512_shuffle_f32x4(other, other, 0xb1));
  }
  QN_UNROLL for (int i = 0; i < 2; ++i)  // two lanes each, in every block: x[i], x[i + 2] of its four
      c[i] = add(_mm512_mask_blend_ps(0xcccc, b[i], b[i + 2]), _mm512_shuffle_ps(b[i], b[i + 2], 0x4e));
  return add(_mm512_mask_blend_ps(0xaaaa, c[0], c[1]), _mm512_permute_ps(_mm512_mask_blend_ps(0xaaaa, c[1], c[0]), 0xb1));
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
QN_FORCE_INLINE Ints load_ints(const std::int32_t* p) {
  return {_mm512_loadu_si512(p)};
}
QN_FORCE_INLINE void store_ints(std::int32_t* p, Ints x) {
  _mm512_storeu_si512(p, x.v);
}
QN_FORCE_INLINE Ints load_pairs(const std::int16_t (*p)[2]) {
  return {_mm512_loadu_si512(p)};
}
QN_FORCE_INLINE void store_pairs(std::int16_t (*p)[2], Ints x) {
  _mm512_storeu_si512(p, x.v);
}
QN_FORCE_INLINE __m512i broadcast4(const void* p) {
  std::int32_t x;
  std::memcpy(&x, p, sizeof x);
  return _mm512_set1_epi32(x);
}
QN_FORCE_INLINE Ints dot2(Ints acc, Ints pairs, const std::int16_t* x) {
  return {_mm512_dpwssd_epi32(acc.v, pairs.v, broadcast4(x))};
}

QN_FORCE_INLINE Bytes load_bytes(const std::uint8_t* p) {
  return {_mm512_loadu_si512(p)};
}
QN_FORCE_INLINE void store_bytes(std::uint8_t* p, Bytes x) {
  _mm512_storeu_si512(p, x.v);
}

// Four 128-bit quarters of rows r, r + 1, r + 2, r + 3, transposed within each: dword i of the four rows in out[i].
QN_FORCE_INLINE void transpose_quarters(__m512i a, __m512i b, __m512i c, __m512i d, __m512i (&out)[4]) {
  const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
  const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
  out[0] = _mm512_unpacklo_epi64(ab_low, cd_low);
  out[1] = _mm512_unpackhi_epi64(ab_low, cd_low);
  out[2] = _mm512_unpacklo_epi64(ab_high, cd_high);
  out[3] = _mm512_unpackhi_epi64(ab_high, cd_high);
}
QN_FORCE_INLINE __m128i load_16_bytes(const std::byte* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
QN_FORCE_INLINE __m256i load_32_bytes(const std::byte* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
QN_FORCE_INLINE void transpose_16(RowPointers rows, int offset, Bytes (&out)[4]) {
  __m512i quarter[4], turned[4];
  QN_UNROLL for (int r = 0; r < 4; ++r) {  // rows r, r + 4, r + 8, r + 12
    quarter[r] = _mm512_castsi128_si512(load_16_bytes(rows.row(r) + offset));
    quarter[r] = _mm512_inserti32x4(quarter[r], load_16_bytes(rows.row(r + 4) + offset), 1);
    quarter[r] = _mm512_inserti32x4(quarter[r], load_16_bytes(rows.row(r + 8) + offset), 2);
    quarter[r] = _mm512_inserti32x4(quarter[r], load_16_bytes(rows.row(r + 12) + offset), 3);
  }
  transpose_quarters(quarter[0], quarter[1], quarter[2], quarter[3], turned);
  QN_UNROLL for (int i = 0; i < 4; ++i) out[i].v = turned[i];
}
QN_FORCE_INLINE void transpose_32(RowPointers rows, int offset, Bytes (&out)[8]) {
  __m512i half[8], low[4], high[4];
  QN_UNROLL for (int r = 0; r < 4; ++r) {  // rows r and r + 4, then r + 8 and r + 12
    half[r] = _mm512_inserti64x4(_mm512_castsi256_si512(load_32_bytes(rows.row(r) + offset)), load_32_bytes(rows.row(r + 4) + offset), 1);
    half[r + 4] =
        _mm512_inserti64x4(_mm512_castsi256_si512(load_32_bytes(rows.row(r + 8) + offset)), load_32_bytes(rows.row(r + 12) + offset), 1);
  }
  // low[i]: dword i of rows 0-3, dword i + 4 of rows 0-3, the same of rows 4-7; high: of rows 8-15
  transpose_quarters(half[0], half[1], half[2], half[3], low);
  transpose_quarters(half[4], half[5], half[6], half[7], high);
  QN_UNROLL for (int i = 0; i < 4; ++i) {
    out[i].v = _mm512_shuffle_i64x2(low[i], high[i], 0x88);
    out[i + 4].v = _mm512_shuffle_i64x2(low[i], high[i], 0xdd);
  }
}

template <int right>
QN_FORCE_INLINE __m512i shift_words(__m512i a) {
  if constexpr (right > 0) return _mm512_srli_epi16(a, right);
  if constexpr (right < 0) return _mm512_slli_epi16(a, -right);
  return a;
}
template <int right, int mask>
QN_FORCE_INLINE Bytes bits(Bytes a) {
  return {_mm512_and_si512(shift_words<right>(a.v), _mm512_set1_epi8(mask))};
}
template <int right, int mask>
QN_FORCE_INLINE Bytes join_bits(Bytes low, Bytes high) {
  return {_mm512_ternarylogic_epi32(low.v, shift_words<right>(high.v), _mm512_set1_epi8(mask), 0xf8)};  // low | (shifted & mask)
}
// Bit 4 * quad + k of a lane's word, for byte k of the lane.
template <int quad>
QN_FORCE_INLINE __mmask64 spread_bits(__m512i word) {
  constexpr int byte = quad / 2 * 0x01010101, four = quad % 2 == 0 ? 0x08040201 : static_cast<int>(0x80402010u);
  const __m512i copies_of = _mm512_broadcast_i32x4(_mm_setr_epi32(byte, byte + 0x04040404, byte + 0x08080808, byte + 0x0c0c0c0c));
  return _mm512_test_epi8_mask(_mm512_shuffle_epi8(word, copies_of), _mm512_set1_epi32(four));
}
template <int quad>
QN_FORCE_INLINE Bytes join_spread(Bytes low, Bytes word) {
  return {_mm512_mask_add_epi8(low.v, spread_bits<quad>(word.v), low.v, _mm512_set1_epi8(16))};
}
template <int quad>
QN_FORCE_INLINE Bytes negate_spread(Bytes codes, Bytes word) {
  const __m512i none = _mm512_setzero_si512();
  return {_mm512_mask_sub_epi8(codes.v, spread_bits<quad>(word.v), none, codes.v)};
}
QN_FORCE_INLINE Bytes look_up(Bytes index, const std::int8_t (&table)[16]) {
  return {_mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table))), index.v)};
}
QN_FORCE_INLINE Bytes from_signed(Bytes a) {
  return {_mm512_xor_si512(a.v, _mm512_set1_epi8(-128))};
}
QN_FORCE_INLINE Bytes plus(Bytes a, Bytes b) {
  return {_mm512_add_epi8(a.v, b.v)};
}
QN_FORCE_INLINE Bytes one_from(Bytes a, int least) {
  return {_mm512_min_epu8(_mm512_subs_epu8(a.v, _mm512_set1_epi8(static_cast<char>(least - 1))), _mm512_set1_epi8(1))};
}
QN_FORCE_INLINE Bytes straddle(Bytes a, Bytes b) {
  return {_mm512_or_si512(_mm512_srli_epi32(a.v, 16), _mm512_slli_epi32(b.v, 16))};
}
QN_FORCE_INLINE __m512i masked(__m512i a, int mask) {
  return _mm512_and_si512(a, _mm512_set1_epi32(mask));
}
QN_FORCE_INLINE Bytes spread_sevens(Bytes word) {
  const __m512i w = word.v;
  const __m512i low = _mm512_or_si512(masked(w, 0x7f), masked(_mm512_slli_epi32(w, 1), 0x7f00));
  return {_mm512_or_si512(low, _mm512_or_si512(masked(_mm512_slli_epi32(w, 2), 0x7f0000), masked(_mm512_slli_epi32(w, 3), 0x7f000000)))};
}
QN_FORCE_INLINE Bytes upper_sevens(Bytes a, Bytes b) {
  const __m512i low = _mm512_or_si512(masked(_mm512_srli_epi32(a.v, 9), 0x7f), masked(_mm512_srli_epi32(a.v, 17), 0x7f00));
  const __m512i high = _mm512_or_si512(masked(_mm512_slli_epi32(b.v, 7), 0x7f0000), masked(_mm512_srli_epi32(b.v, 1), 0x7f000000));
  return {_mm512_or_si512(low, high)};
}
QN_FORCE_INLINE Bytes with_parity(Bytes word) {
  __m512i p = _mm512_xor_si512(word.v, _mm512_srli_epi32(word.v, 4));
  p = _mm512_xor_si512(p, _mm512_srli_epi32(p, 2));
  p = _mm512_xor_si512(p, _mm512_srli_epi32(p, 1));
  return {_mm512_or_si512(word.v, masked(_mm512_slli_epi32(p, 7), static_cast<int>(0x80808080u)))};
}
QN_FORCE_INLINE Bytes words_upper(Bytes a) {
  return {_mm512_srli_epi32(a.v, 16)};
}
QN_FORCE_INLINE Bytes as_bytes(Ints a) {
  return {a.v};
}
template <int right, int width>
QN_FORCE_INLINE Ints field(Bytes a) {
  return {_mm512_and_si512(_mm512_srli_epi32(a.v, right), _mm512_set1_epi32((1 << width) - 1))};
}
template <int which>
QN_FORCE_INLINE Ints signed_byte(Bytes a) {
  return {_mm512_srai_epi32(_mm512_slli_epi32(a.v, 24 - 8 * which), 24)};
}
QN_FORCE_INLINE Ints first_bytes(Bytes a) {
  const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
  return {_mm512_shuffle_epi8(a.v, order)};
}
QN_FORCE_INLINE Ints second_bytes(Bytes a) {
  const __m512i order = _mm512_broadcast_i32x4(_mm_setr_epi8(2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1));
  return {_mm512_shuffle_epi8(a.v, order)};
}
QN_FORCE_INLINE Floats low_half(Bytes a) {
  return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(a.v));
}
QN_FORCE_INLINE Floats high_half(Bytes a) {
  return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(_mm512_srli_epi32(a.v, 16)));
}
QN_FORCE_INLINE Floats negated(Floats a) {
  return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f));
}
QN_FORCE_INLINE Floats gather_f16(RowPointers rows, int offset) {
  return _mm512_cvtph_ps(
      _mm256_inserti128_si256(_mm256_castsi128_si256(gather_eight_u16(rows, 0, offset)), gather_eight_u16(rows, 8, offset), 1));
}
QN_FORCE_INLINE Bytes gather_u32(RowPointers rows, int offset) {
  __m512i v = _mm512_castsi128_si512(gather_four_u32(rows, 0, offset));
  v = _mm512_inserti32x4(v, gather_four_u32(rows, 4, offset), 1);
  v = _mm512_inserti32x4(v, gather_four_u32(rows, 8, offset), 2);
  return {_mm512_inserti32x4(v, gather_four_u32(rows, 12, offset), 3)};
}
QN_FORCE_INLINE Ints gather_u8(RowPointers rows, int offset) {
  return {_mm512_cvtepu8_epi32(gather_sixteen_u8(rows, offset))};
}
QN_FORCE_INLINE Floats exponents(Ints e) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_max_epi32(_mm512_sub_epi32(e.v, _mm512_set1_epi32(1)), _mm512_setzero_si512()), 23));
}
QN_FORCE_INLINE Quad load_quad(const std::int8_t* p) {
  return broadcast4(p);
}
QN_FORCE_INLINE Ints dot4(Ints acc, Bytes codes, Quad x) {
  return {_mm512_dpbusd_epi32(acc.v, codes.v, x)};
}
QN_FORCE_INLINE Ints dot4_signed(Ints acc, Bytes codes, Quad x) {
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

// rows of cached keys and values
constexpr int query_tile = 6;  // queries, keys and vectors of values held in registers at once
constexpr int key_tile = 4;
constexpr int value_tile = 4;
template <int which>
QN_FORCE_INLINE void store_quarter(float* p, Floats x) {
  _mm_storeu_ps(p, _mm512_extractf32x4_ps(x, which));
}
QN_FORCE_INLINE Floats set_f16(const std::byte* p) {
  std::int16_t half;
  std::memcpy(&half, p, sizeof half);
  return _mm512_cvtph_ps(_mm256_set1_epi16(half));
}
QN_FORCE_INLINE Floats load_s8(const std::byte* p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
QN_FORCE_INLINE Ints load_u8(const std::byte* p) {
  return {_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
QN_FORCE_INLINE Ints low_nibble(Ints a) {
  return {_mm512_and_si512(a.v, _mm512_set1_epi32(15))};
}
QN_FORCE_INLINE Ints high_nibble(Ints a) {
  return {_mm512_srli_epi32(a.v, 4)};
}
QN_FORCE_INLINE Ints sixteens(std::uint32_t bits) {
  return {_mm512_maskz_set1_epi32(static_cast<__mmask16>(bits), 16)};
}
QN_FORCE_INLINE Floats look_up(Ints index, const float (&table)[16]) {
  return _mm512_permutexvar_ps(index.v, _mm512_loadu_ps(table));
}

}  // namespace
}  // namespace qn::cpu
