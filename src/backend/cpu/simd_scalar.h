// Sixteen lanes for any machine. The names and meanings here are those of simd_avx2.h and simd_avx512.h: kernels are written once
// against them. Everything has internal linkage, so no object of one instruction set can lend code to another.
#pragma once

#include <cstdint>
#include <cstring>

#define QN_LANES_IN_MEMORY
#include "backend/cpu/inlining.h"
#include "backend/cpu/span.h"
#include "base/cpu_features.h"
#include "quant/half.h"

namespace qn::cpu {
namespace {

constexpr Isa this_isa = Isa::scalar;
constexpr int panel_tile = 1;               // panels and
constexpr int token_tile = 2;               // tokens of a product held in registers at once
constexpr int most_direct_tokens = 0;       // tokens for which a span is unpacked in registers only; here formats are never read directly
constexpr int signed_bias = 0;              // what dot4_signed takes: code + signed_bias
constexpr bool signed_is_different = true;  // whether dot4_signed is another function than dot4

struct Floats {
  float lane[16];
};
struct Ints {
  std::int32_t lane[16];
};
struct Bytes {
  std::uint8_t lane[64];
};
struct Quad {
  std::int8_t x[4];
};

#define QN_LANES(i) for (int i = 0; i < 16; ++i)

// floats
QN_FORCE_INLINE Floats set(float x) {
  Floats r;
  QN_LANES(i) r.lane[i] = x;
  return r;
}
QN_FORCE_INLINE Floats load(const float* p) {
  Floats r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
QN_FORCE_INLINE Floats load_first(const float* p, int count) {  // lanes from count on are 0
  Floats r;
  QN_LANES(i) r.lane[i] = i < count ? p[i] : 0.0f;
  return r;
}
QN_FORCE_INLINE void store(float* p, Floats x) {
  std::memcpy(p, &x, sizeof x);
}
QN_FORCE_INLINE void store_first(float* p, Floats x, int count) {
  QN_LANES(i) if (i < count) p[i] = x.lane[i];
}
QN_FORCE_INLINE Floats add(Floats a, Floats b) {
  QN_LANES(i) a.lane[i] += b.lane[i];
  return a;
}
QN_FORCE_INLINE Floats sub(Floats a, Floats b) {
  QN_LANES(i) a.lane[i] -= b.lane[i];
  return a;
}
QN_FORCE_INLINE Floats mul(Floats a, Floats b) {
  QN_LANES(i) a.lane[i] *= b.lane[i];
  return a;
}
QN_FORCE_INLINE Floats div(Floats a, Floats b) {
  QN_LANES(i) a.lane[i] /= b.lane[i];
  return a;
}
QN_FORCE_INLINE Floats fma(Floats a, Floats b, Floats c) {
  QN_LANES(i) c.lane[i] = __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
QN_FORCE_INLINE Floats fma_negated(Floats a, Floats b, Floats c) {  // c - a * b
  QN_LANES(i) c.lane[i] = __builtin_fmaf(-a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
QN_FORCE_INLINE Floats fma_first(Floats a, Floats b, Floats c, int count) {  // lanes from count on keep c
  QN_LANES(i) if (i < count) c.lane[i] = __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]);
  return c;
}
QN_FORCE_INLINE Floats larger(Floats a, Floats b) {  // a > b ? a : b
  QN_LANES(i) a.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
  return a;
}
QN_FORCE_INLINE Floats where_between(int begin, int end, Floats a, float otherwise) {  // lanes [begin, end) of a
  QN_LANES(i) if (i < begin || i >= end) a.lane[i] = otherwise;
  return a;
}
QN_FORCE_INLINE Floats where_less(Floats a, Floats b, Floats then, Floats otherwise) {  // a < b ? then : otherwise
  QN_LANES(i) if (a.lane[i] < b.lane[i]) otherwise.lane[i] = then.lane[i];
  return otherwise;
}
// 2^n where x was made by adding 1.5 * 2^23 to n.
QN_FORCE_INLINE Floats power_of_two(Floats x) {
  QN_LANES(i) x.lane[i] = quant::float_of((quant::bits_of(x.lane[i]) << 23) + 0x3f800000u);
  return x;
}
QN_FORCE_INLINE float fold(Floats x) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) x.lane[i] += x.lane[i + half];
  return x.lane[0];
}
QN_FORCE_INLINE Floats fold_each(const Floats* x) {  // lane i is fold(x[i])
  Floats r;
  QN_LANES(i) r.lane[i] = fold(x[i]);
  return r;
}
QN_FORCE_INLINE float fold_larger(Floats x) {
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) x.lane[i] = x.lane[i] > x.lane[i + half] ? x.lane[i] : x.lane[i + half];
  return x.lane[0];
}
QN_FORCE_INLINE Floats load_f16(const std::byte* p) {
  std::uint16_t half[16];
  std::memcpy(half, p, sizeof half);
  Floats r;
  QN_LANES(i) r.lane[i] = quant::f16_to_f32(half[i]);
  return r;
}
QN_FORCE_INLINE Floats load_bf16(const std::byte* p) {
  std::uint16_t half[16];
  std::memcpy(half, p, sizeof half);
  Floats r;
  QN_LANES(i) r.lane[i] = quant::bf16_to_f32(half[i]);
  return r;
}

// 32-bit integers
QN_FORCE_INLINE Ints zero() {
  return Ints{};
}
QN_FORCE_INLINE Ints set(std::int32_t x) {
  Ints r;
  QN_LANES(i) r.lane[i] = x;
  return r;
}
QN_FORCE_INLINE Ints add(Ints a, Ints b) {  // all sums are exact modulo 2^32, and the final ones fit
  QN_LANES(i) a.lane[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lane[i]) + static_cast<std::uint32_t>(b.lane[i]));
  return a;
}
QN_FORCE_INLINE Ints sub(Ints a, Ints b) {
  QN_LANES(i) a.lane[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lane[i]) - static_cast<std::uint32_t>(b.lane[i]));
  return a;
}
QN_FORCE_INLINE Ints mul(Ints a, Ints b) {
  QN_LANES(i) a.lane[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lane[i]) * static_cast<std::uint32_t>(b.lane[i]));
  return a;
}
template <int bits>
QN_FORCE_INLINE Ints shift_left(Ints a) {
  QN_LANES(i) a.lane[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lane[i]) << bits);
  return a;
}
QN_FORCE_INLINE Floats to_floats(Ints a) {
  Floats r;
  QN_LANES(i) r.lane[i] = static_cast<float>(a.lane[i]);
  return r;
}
QN_FORCE_INLINE Ints load_ints(const std::int32_t* p) {
  Ints r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
// Pairs: a lane holds two 16-bit integers, the first in its low half.
QN_FORCE_INLINE Ints load_pairs(const std::int16_t (*p)[2]) {
  Ints r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
// acc + first * x[0] + second * x[1], with one pair x for all lanes
QN_FORCE_INLINE Ints dot2(Ints acc, Ints pairs, const std::int16_t* x) {
  QN_LANES(i) acc.lane[i] += static_cast<std::int16_t>(pairs.lane[i] & 0xffff) * x[0] + (pairs.lane[i] >> 16) * x[1];
  return acc;
}

// bytes: lane i of the sixteen owns bytes [4i, 4i + 4)
QN_FORCE_INLINE Bytes load_bytes(const std::uint8_t* p) {
  Bytes r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
// The vector instruction sets also have, for kernels_readers.h:
//   transpose_16, transpose_32      dword i of 16 or 32 bytes of each row, in vector i
//   bits<right, mask>(a)            each byte (a >> right) & mask; a negative count shifts left
//   join_bits<right, mask>(a, b)    a | bits<right, mask>(b)
//   join_spread<q>(a, word)         byte k of a lane | 16 where bit 4q + k of the lane's word is set
//   negate_spread<q>(a, word)       byte k of a lane, negated where bit 4q + k of the lane's word is set
//   spread_sevens(word)             four numbers of 7 bits, one behind the other, to a byte each; upper_sevens(a, b): those on top of four
//                                   16-bit words; with_parity(word): an eighth bit in each byte that makes the number of ones even
//   look_up(index, table)           table[byte]
//   from_signed(a)                  signed bytes as dot4_signed takes them
//   plus(a, b), one_from(a, least)  bytes modulo 256; 1 where the byte is at least `least`, else 0
//   straddle(a, b)                  the dword that begins in the middle of a and ends in the middle of b
//   field<right, width>(a)          bits of a lane as an unsigned integer; signed_byte<k>(a): byte k of a lane
//   first_bytes(a), second_bytes(a) bytes 0 and 1, or 2 and 3, of a lane as a pair

QN_FORCE_INLINE Quad load_quad(const std::int8_t* p) {
  Quad r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
// acc + sum of four products with the same four x for all lanes; codes in [0, 63]
QN_FORCE_INLINE Ints dot4(Ints acc, Bytes codes, Quad x) {
  QN_LANES(i) for (int k = 0; k < 4; ++k) acc.lane[i] += codes.lane[4 * i + k] * x.x[k];
  return acc;
}
// The same for bytes that hold code + signed_bias with codes in [-128, 127].
QN_FORCE_INLINE Ints dot4_signed(Ints acc, Bytes codes, Quad x) {
  QN_LANES(i) for (int k = 0; k < 4; ++k) acc.lane[i] += static_cast<std::int8_t>(codes.lane[4 * i + k]) * x.x[k];
  return acc;
}

// activations to int8
QN_FORCE_INLINE std::uint32_t largest_magnitude(const float* x, int count) {  // bits of the largest |x|; count a multiple of 16
  std::uint32_t largest = 0;
  for (int i = 0; i < count; ++i) {
    const std::uint32_t magnitude = quant::bits_of(x[i]) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}
// Sixteen codes, rounded to nearest-even; returns their sum. |x * inverse| < 2^22.
QN_FORCE_INLINE int store_codes(std::int8_t* to, const float* x, float inverse) {
  int sum = 0;
  QN_LANES(i) {
    const float shifted = x[i] * inverse + 0x1.8p23f;
    to[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(quant::bits_of(shifted) - quant::bits_of(0x1.8p23f)));
    sum += to[i];
  }
  return sum;
}

// rows of cached keys and values
constexpr int query_tile = 2;  // queries, keys and vectors of values held in registers at once
constexpr int key_tile = 1;
constexpr int value_tile = 2;
template <int which>
QN_FORCE_INLINE void store_quarter(float* p, Floats x) {  // lanes [4 * which, 4 * which + 4)
  std::memcpy(p, x.lane + 4 * which, 4 * sizeof(float));
}
QN_FORCE_INLINE Floats set_f16(const std::byte* p) {  // the f16 at p in every lane
  std::uint16_t half;
  std::memcpy(&half, p, sizeof half);
  return set(quant::f16_to_f32(half));
}
QN_FORCE_INLINE Floats load_s8(const std::byte* p) {  // sixteen signed bytes
  std::int8_t b[16];
  std::memcpy(b, p, sizeof b);
  Floats r;
  QN_LANES(i) r.lane[i] = static_cast<float>(b[i]);
  return r;
}
QN_FORCE_INLINE Ints load_u8(const std::byte* p) {
  std::uint8_t b[16];
  std::memcpy(b, p, sizeof b);
  Ints r;
  QN_LANES(i) r.lane[i] = b[i];
  return r;
}
QN_FORCE_INLINE Ints low_nibble(Ints a) {  // of lanes in [0, 256)
  QN_LANES(i) a.lane[i] &= 15;
  return a;
}
QN_FORCE_INLINE Ints high_nibble(Ints a) {
  QN_LANES(i) a.lane[i] >>= 4;
  return a;
}
QN_FORCE_INLINE Ints sixteens(std::uint32_t bits) {  // lane i: 16 where bit i is set, else 0
  Ints r;
  QN_LANES(i) r.lane[i] = static_cast<std::int32_t>(bits >> i & 1) << 4;
  return r;
}
QN_FORCE_INLINE Floats look_up(Ints index, const float (&table)[16]) {  // lanes of index in [0, 16)
  Floats r;
  QN_LANES(i) r.lane[i] = table[index.lane[i]];
  return r;
}

#undef QN_LANES

}  // namespace
}  // namespace qn::cpu
