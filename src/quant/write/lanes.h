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

// Everything melts into its caller, but where a sanitizer makes ten instructions of one and registers are short: that compiles for minutes.
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define QN_LANES_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define QN_LANES_SANITIZED
#endif
#if defined(QN_LANES_SANITIZED) && !defined(__AVX2__)
#define QN_LANES_INLINE inline
#else
#define QN_LANES_INLINE inline __attribute__((always_inline))
#endif

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
    if constexpr (count > 1) {                                        \
      return {name(a.low), name(a.high)};                             \
    } else {                                                          \
      const argument a_ = a.value;                                    \
      return {expression};                                            \
    }                                                                 \
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
QN_LANES_SELECT(if_less, IntRegister, FloatRegister, a.value < b.value ? x.value : y.value)

template <int bits, int count>
QN_LANES_INLINE Pack<IntRegister, count> shift_left(Pack<IntRegister, count> a) {
  if constexpr (count > 1)
    return {shift_left<bits>(a.low), shift_left<bits>(a.high)};
  else
    return {a.value << bits};
}

QN_LANES_UNARY(bits_in, IntRegister, FloatRegister, (IntRegister)a_)
QN_LANES_UNARY(floats_in, FloatRegister, IntRegister, (FloatRegister)a_)
QN_LANES_UNARY(to_ints, IntRegister, FloatRegister, __builtin_convertvector(a_, IntRegister))  // whole numbers below 2^31 only
QN_LANES_UNARY(to_floats, FloatRegister, IntRegister, __builtin_convertvector(a_, FloatRegister))

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
QN_LANES_INLINE Floats whole_part(Floats x) {  // toward zero, for magnitudes below 2^31
  return to_floats(to_ints(x));
}
QN_LANES_INLINE Floats magnitude(Floats x) {
  return floats_in(bits_in(x) & set_int(0x7FFFFFFF));
}
QN_LANES_INLINE Floats clamp(Floats x, Floats least, Floats most) {
  return smaller(larger(x, least), most);
}

QN_LANES_INLINE void f16_of_lanes(Floats x, std::uint16_t (&half)[16]) {
  float lane[16];
  store_lanes(lane, x);
  for (int i = 0; i < 16; ++i) half[i] = f32_to_f16(lane[i]);
}

// Pairs of lanes: the neighbours change places, or both take the first, or both the second.
#if defined(__AVX512F__)
#define QN_LANES_PAIRS(name, a, b)                                                                                                     \
  QN_LANES_UNARY(name, FloatRegister, FloatRegister,                                                                                   \
                 __builtin_shufflevector(a_, a_, a, b, 2 + a, 2 + b, 4 + a, 4 + b, 6 + a, 6 + b, 8 + a, 8 + b, 10 + a, 10 + b, 12 + a, \
                                         12 + b, 14 + a, 14 + b))
#elif defined(__AVX2__)
#define QN_LANES_PAIRS(name, a, b) \
  QN_LANES_UNARY(name, FloatRegister, FloatRegister, __builtin_shufflevector(a_, a_, a, b, 2 + a, 2 + b, 4 + a, 4 + b, 6 + a, 6 + b))
#else
#define QN_LANES_PAIRS(name, a, b) QN_LANES_UNARY(name, FloatRegister, FloatRegister, __builtin_shufflevector(a_, a_, a, b, 2 + a, 2 + b))
#endif
QN_LANES_PAIRS(swap_neighbours, 1, 0)
QN_LANES_PAIRS(first_of_pair, 0, 0)
QN_LANES_PAIRS(second_of_pair, 1, 1)

// To bytes, for whole numbers in [-128, 255].
template <int count>
QN_LANES_INLINE void store_bytes(void* to, Pack<IntRegister, count> x) {
  if constexpr (count > 1) {
    store_bytes(to, x.low);
    store_bytes(static_cast<char*>(to) + register_bytes / 4 * count / 2, x.high);
  } else {
    using Bytes [[gnu::vector_size(register_bytes / 4)]] = std::int8_t;
    const Bytes bytes = __builtin_convertvector(x.value, Bytes);
    std::memcpy(to, &bytes, sizeof bytes);
  }
}

// Over all lanes, by a fixed tree: lane i takes in lane i + 8, then i + 4, i + 2, i + 1.
#define QN_LANES_FOLD(name, combine)                         \
  template <int count>                                       \
  QN_LANES_INLINE float name(Pack<FloatRegister, count> x) { \
    if constexpr (count > 1) {                               \
      return name(combine(x.low, x.high));                   \
    } else {                                                 \
      using One = Pack<FloatRegister, 1>;                    \
      QN_LANES_FOLD_WIDE(combine)                            \
      x = combine(x, One{QN_LANES_MOVED(x.value, 2)});       \
      x = combine(x, One{QN_LANES_MOVED(x.value, 1)});       \
      return x.value[0];                                     \
    }                                                        \
  }
#if defined(__AVX512F__)
#define QN_LANES_MOVED(v, by) \
  __builtin_shufflevector(v, v, by, by + 1, by + 2, by + 3, by + 4, by + 5, by + 6, by + 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define QN_LANES_FOLD_WIDE(combine)                \
  x = combine(x, One{QN_LANES_MOVED(x.value, 8)}); \
  x = combine(x, One{QN_LANES_MOVED(x.value, 4)});
#elif defined(__AVX2__)
#define QN_LANES_MOVED(v, by) __builtin_shufflevector(v, v, by, by + 1, by + 2, by + 3, 4, 5, 6, 7)
#define QN_LANES_FOLD_WIDE(combine) x = combine(x, One{QN_LANES_MOVED(x.value, 4)});
#else
#define QN_LANES_MOVED(v, by) __builtin_shufflevector(v, v, by, by + 1, 2, 3)
#define QN_LANES_FOLD_WIDE(combine)
#endif
#define QN_LANES_ADDED(a, b) ((a) + (b))
QN_LANES_FOLD(sum_of_lanes, QN_LANES_ADDED)
QN_LANES_FOLD(largest_of_lanes, larger)

}  // namespace
}  // namespace qn::quant
