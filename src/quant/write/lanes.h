// Sixteen floats or integers side by side, for the writers' searches: written once, compiled for each instruction set into the same bits.
// Only operations that IEEE 754 defines to the bit are used, none fused, and every sum has a fixed order. The compiler's vector types do
// the work, in registers of the size that the instruction set has. Everything has internal linkage: objects of one instruction set lend
// no code to others.
#pragma once

#ifdef __AVX2__
// GCC's own headers warn about the registers they leave undefined on purpose.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#include <cstdint>
#include <cstring>

#include "quant/half.h"

#define QN_LANES_INLINE inline __attribute__((always_inline))

namespace qn::quant {
namespace {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX2__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

using FloatRegister [[gnu::vector_size(register_bytes)]] = float;
using IntRegister [[gnu::vector_size(register_bytes)]] = std::int32_t;

// A tree rather than an array: members live in registers at any level of optimisation.
template <class Register, int count>
struct Pack {
  Pack<Register, count / 2> low, high;
};
template <class Register>
struct Pack<Register, 1> {
  Register value;
};

using Floats = Pack<FloatRegister, 64 / register_bytes>;
using Ints = Pack<IntRegister, 64 / register_bytes>;

#define QN_LANES_UNARY(name, result, argument, expression)            \
  template <int count>                                                \
  QN_LANES_INLINE Pack<result, count> name(Pack<argument, count> a) { \
    if constexpr (count > 1)                                          \
      return {name(a.low), name(a.high)};                             \
    else                                                              \
      return {expression};                                            \
  }
#define QN_LANES_BINARY(name, type, expression)                                      \
  template <int count>                                                               \
  QN_LANES_INLINE Pack<type, count> name(Pack<type, count> a, Pack<type, count> b) { \
    if constexpr (count > 1)                                                         \
      return {name(a.low, b.low), name(a.high, b.high)};                             \
    else                                                                             \
      return {expression};                                                           \
  }
// compare ? x : y, lane by lane
#define QN_LANES_SELECT(name, compared, type, expression)                                                                              \
  template <int count>                                                                                                                 \
  QN_LANES_INLINE Pack<type, count> name(Pack<compared, count> a, Pack<compared, count> b, Pack<type, count> x, Pack<type, count> y) { \
    if constexpr (count > 1)                                                                                                           \
      return {name(a.low, b.low, x.low, y.low), name(a.high, b.high, x.high, y.high)};                                                 \
    else                                                                                                                               \
      return {expression};                                                                                                             \
  }

QN_LANES_BINARY(operator+, FloatRegister, a.value + b.value)
QN_LANES_BINARY(operator-, FloatRegister, a.value - b.value)
QN_LANES_BINARY(operator*, FloatRegister, a.value* b.value)
QN_LANES_BINARY(operator/, FloatRegister, a.value / b.value)
// a < b ? a : b and a > b ? a : b, where the compiler does not see that one instruction does just that.
#if defined(__AVX512F__)
QN_LANES_BINARY(smaller, FloatRegister, _mm512_min_ps(a.value, b.value))
QN_LANES_BINARY(larger, FloatRegister, _mm512_max_ps(a.value, b.value))
#elif defined(__AVX2__)
QN_LANES_BINARY(smaller, FloatRegister, _mm256_min_ps(a.value, b.value))
QN_LANES_BINARY(larger, FloatRegister, _mm256_max_ps(a.value, b.value))
#else
QN_LANES_BINARY(smaller, FloatRegister, a.value < b.value ? a.value : b.value)
QN_LANES_BINARY(larger, FloatRegister, a.value > b.value ? a.value : b.value)
#endif
QN_LANES_SELECT(if_less, FloatRegister, FloatRegister, a.value < b.value ? x.value : y.value)
QN_LANES_SELECT(if_less, FloatRegister, IntRegister, a.value < b.value ? x.value : y.value)
QN_LANES_SELECT(if_equal, FloatRegister, FloatRegister, a.value == b.value ? x.value : y.value)

QN_LANES_BINARY(operator+, IntRegister, a.value + b.value)
QN_LANES_BINARY(operator-, IntRegister, a.value - b.value)
QN_LANES_BINARY(operator&, IntRegister, a.value& b.value)
QN_LANES_BINARY(operator|, IntRegister, a.value | b.value)
QN_LANES_BINARY(operator^, IntRegister, a.value ^ b.value)
QN_LANES_BINARY(smaller, IntRegister, a.value < b.value ? a.value : b.value)

QN_LANES_UNARY(bits_in, IntRegister, FloatRegister, (IntRegister)a.value)
QN_LANES_UNARY(floats_in, FloatRegister, IntRegister, (FloatRegister)a.value)
QN_LANES_UNARY(to_ints, IntRegister, FloatRegister, __builtin_convertvector(a.value, IntRegister))  // whole numbers below 2^31 only
QN_LANES_UNARY(to_floats, FloatRegister, IntRegister, __builtin_convertvector(a.value, FloatRegister))

template <class Lanes, class Value>
QN_LANES_INLINE Lanes all_of(Value value) {
  if constexpr (sizeof(Lanes) > register_bytes) {
    return {all_of<decltype(Lanes::low)>(value), all_of<decltype(Lanes::high)>(value)};
  } else {
    return {value - decltype(Lanes::value){}};
  }
}
QN_LANES_INLINE Floats set(float value) {
  return all_of<Floats>(value);
}
QN_LANES_INLINE Ints set_int(std::int32_t value) {
  return all_of<Ints>(value);
}
// Register by register: a copy of the whole would go through memory.
template <class Lanes>
QN_LANES_INLINE Lanes load_as(const void* from) {
  if constexpr (sizeof(Lanes) > register_bytes) {
    using Half = decltype(Lanes::low);
    return {load_as<Half>(from), load_as<Half>(static_cast<const char*>(from) + sizeof(Half))};
  } else {
    Lanes r;
    std::memcpy(&r.value, from, sizeof r.value);
    return r;
  }
}
template <class Lanes>
QN_LANES_INLINE void store_as(void* to, Lanes x) {
  if constexpr (sizeof(Lanes) > register_bytes) {
    store_as(to, x.low);
    store_as(static_cast<char*>(to) + sizeof x.low, x.high);
  } else {
    std::memcpy(to, &x.value, sizeof x.value);
  }
}
QN_LANES_INLINE Floats load_lanes(const float* from) {
  return load_as<Floats>(from);
}
QN_LANES_INLINE Ints load_lanes(const std::int32_t* from) {
  return load_as<Ints>(from);
}
QN_LANES_INLINE void store_lanes(float* to, Floats x) {
  store_as(to, x);
}
QN_LANES_INLINE void store_lanes(std::int32_t* to, Ints x) {
  store_as(to, x);
}

// To the nearest whole number, ties to even, for magnitudes below 2^22: the addition leaves no bits after the point.
QN_LANES_INLINE Floats round_lanes(Floats x) {
  constexpr float shift = 12582912.0F;  // 1.5 * 2^23
  return x + set(shift) - set(shift);
}
QN_LANES_INLINE Floats magnitude(Floats x) {
  return floats_in(bits_in(x) & set_int(0x7FFFFFFF));
}
QN_LANES_INLINE Floats clamp(Floats x, Floats least, Floats most) {
  return smaller(larger(x, least), most);
}

// Lane l and its neighbour l ^ 1 change places.
template <int count>
QN_LANES_INLINE Pack<FloatRegister, count> swap_neighbours(Pack<FloatRegister, count> a) {
  if constexpr (count > 1) {
    return {swap_neighbours(a.low), swap_neighbours(a.high)};
  } else {
    const FloatRegister v = a.value;
#if defined(__AVX512F__)
    return {__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)};
#elif defined(__AVX2__)
    return {__builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6)};
#else
    return {__builtin_shufflevector(v, v, 1, 0, 3, 2)};
#endif
  }
}

// Over all lanes, by a fixed tree.
QN_LANES_INLINE float sum_of_lanes(Floats x) {
  float lane[16];
  store_lanes(lane, x);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lane[i] += lane[i + half];
  return lane[0];
}
QN_LANES_INLINE float largest_of_lanes(Floats x) {
  float lane[16];
  store_lanes(lane, x);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
  return lane[0];
}

}  // namespace
}  // namespace qn::quant
