// Arithmetic on counts and offsets that come from outside: overflow is an answer, never a wrap-around.
#pragma once

#include <concepts>
#include <optional>

namespace qn {

template <std::unsigned_integral T>
std::optional<T> checked_add(T a, T b) {
  T out;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

template <std::unsigned_integral T>
std::optional<T> checked_mul(T a, T b) {
  T out;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

}  // namespace qn
