// A few bytes of each of sixteen rows, inserted one by one: no detour through memory, which would stall the load that follows.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "backend/cpu/row_pointers.h"

namespace qn::cpu {
namespace {

QN_FORCE_INLINE int u16_of(RowPointers rows, int r, int offset) {
  std::uint16_t x;
  std::memcpy(&x, rows.row(r) + offset, sizeof x);
  return x;
}
QN_FORCE_INLINE int u32_of(RowPointers rows, int r, int offset) {
  int x;
  std::memcpy(&x, rows.row(r) + offset, sizeof x);
  return x;
}
QN_FORCE_INLINE int u8_of(RowPointers rows, int r, int offset) {
  return static_cast<std::uint8_t>(rows.row(r)[offset]);
}

QN_FORCE_INLINE __m128i gather_eight_u16(RowPointers rows, int first, int offset) {
  __m128i v = _mm_cvtsi32_si128(u16_of(rows, first, offset));
  v = _mm_insert_epi16(v, u16_of(rows, first + 1, offset), 1);
  v = _mm_insert_epi16(v, u16_of(rows, first + 2, offset), 2);
  v = _mm_insert_epi16(v, u16_of(rows, first + 3, offset), 3);
  v = _mm_insert_epi16(v, u16_of(rows, first + 4, offset), 4);
  v = _mm_insert_epi16(v, u16_of(rows, first + 5, offset), 5);
  v = _mm_insert_epi16(v, u16_of(rows, first + 6, offset), 6);
  return _mm_insert_epi16(v, u16_of(rows, first + 7, offset), 7);
}
QN_FORCE_INLINE __m128i gather_four_u32(RowPointers rows, int first, int offset) {
  __m128i v = _mm_cvtsi32_si128(u32_of(rows, first, offset));
  v = _mm_insert_epi32(v, u32_of(rows, first + 1, offset), 1);
  v = _mm_insert_epi32(v, u32_of(rows, first + 2, offset), 2);
  return _mm_insert_epi32(v, u32_of(rows, first + 3, offset), 3);
}
QN_FORCE_INLINE __m128i gather_sixteen_u8(RowPointers rows, int offset) {
  __m128i v = _mm_cvtsi32_si128(u8_of(rows, 0, offset));
  v = _mm_insert_epi8(v, u8_of(rows, 1, offset), 1);
  v = _mm_insert_epi8(v, u8_of(rows, 2, offset), 2);
  v = _mm_insert_epi8(v, u8_of(rows, 3, offset), 3);
  v = _mm_insert_epi8(v, u8_of(rows, 4, offset), 4);
  v = _mm_insert_epi8(v, u8_of(rows, 5, offset), 5);
  v = _mm_insert_epi8(v, u8_of(rows, 6, offset), 6);
  v = _mm_insert_epi8(v, u8_of(rows, 7, offset), 7);
  v = _mm_insert_epi8(v, u8_of(rows, 8, offset), 8);
  v = _mm_insert_epi8(v, u8_of(rows, 9, offset), 9);
  v = _mm_insert_epi8(v, u8_of(rows, 10, offset), 10);
  v = _mm_insert_epi8(v, u8_of(rows, 11, offset), 11);
  v = _mm_insert_epi8(v, u8_of(rows, 12, offset), 12);
  v = _mm_insert_epi8(v, u8_of(rows, 13, offset), 13);
  v = _mm_insert_epi8(v, u8_of(rows, 14, offset), 14);
  return _mm_insert_epi8(v, u8_of(rows, 15, offset), 15);
}

}  // namespace
}  // namespace qn::cpu
