// Float kernels: norm, SwiGLU, rotation, plain products. Included once by each kernels_<isa>.cpp, after its simd header.
// The order of operations is that of backend/ref.
#pragma once

#include "backend/cpu/kernels.h"

namespace qn::cpu {
namespace {

QN_FORCE_INLINE Floats exp_of(Floats x) {
  const Floats shifter = set(0x1.8p23f);
  const Floats shifted = fma(x, set(0x1.715476p+0f), shifter);
  const Floats n = sub(shifted, shifter);
  Floats r = fma(n, set(-0x1.62e43p-1f), x);
  r = fma(n, set(0x1.05c61p-29f), r);
  Floats p = set(0x1.6a23cep-10f);
  p = fma(p, r, set(0x1.123a2p-7f));
  p = fma(p, r, set(0x1.5558f2p-5f));
  p = fma(p, r, set(0x1.555492p-3f));
  p = fma(p, r, set(0x1.fffffcp-2f));
  p = add(fma(p, mul(r, r), r), set(1.0f));
  Floats y = mul(p, power_of_two(shifted));
  y = where_less(x, set(-87.0f), set(0.0f), y);
  return where_less(set(88.0f), x, set(__builtin_inff()), y);
}

void exponential(const float* x, float* y, int count) {
  for (int i = 0; i < count; i += 16) store_first(y + i, exp_of(load_first(x + i, count - i)), count - i);
}

void normalize(const float* x, const float* weight, float eps, int count, float* y) {
  const int whole = count / 16 * 16, rest = count - whole;
  Floats lanes = set(0.0f);
  for (int i = 0; i < whole; i += 16) lanes = fma(load(x + i), load(x + i), lanes);
  if (rest > 0) {
    const Floats last = load_first(x + whole, rest);
    lanes = fma_first(last, last, lanes, rest);
  }
  const Floats scale = set(1.0f / __builtin_sqrtf(fold(lanes) / static_cast<float>(count) + eps));
  for (int i = 0; i < whole; i += 16) store(y + i, mul(mul(load(x + i), scale), load(weight + i)));
  if (rest > 0) store_first(y + whole, mul(mul(load_first(x + whole, rest), scale), load_first(weight + whole, rest)), rest);
}

QN_FORCE_INLINE Floats swiglu_of(Floats gate, Floats up) {
  const Floats silu = div(gate, add(set(1.0f), exp_of(sub(set(-0.0f), gate))));
  return mul(silu, up);
}

void swiglu(const float* gate, const float* up, float* y, int count) {
  const int whole = count / 16 * 16, rest = count - whole;
  for (int i = 0; i < whole; i += 16) store(y + i, swiglu_of(load(gate + i), load(up + i)));
  if (rest > 0) store_first(y + whole, swiglu_of(load_first(gate + whole, rest), load_first(up + whole, rest)), rest);
}

// Pair i is x[i * first_step] and x[i * first_step + second_offset].
void rotate(float* x, int pairs, int first_step, int second_offset, const float* cos_sin) {
  int i = 0;
  for (; first_step == 1 && i + 16 <= pairs; i += 16) {
    const Floats a = load(x + i), b = load(x + i + second_offset), cosine = load(cos_sin + i), sine = load(cos_sin + pairs + i);
    store(x + i, fma(a, cosine, sub(set(-0.0f), mul(b, sine))));
    store(x + i + second_offset, fma(b, cosine, mul(a, sine)));
  }
  for (; i < pairs; ++i) {
    const float a = x[i * first_step], b = x[i * first_step + second_offset];
    const float cosine = cos_sin[i], sine = cos_sin[pairs + i];
    x[i * first_step] = __builtin_fmaf(a, cosine, -(b * sine));
    x[i * first_step + second_offset] = __builtin_fmaf(b, cosine, a * sine);
  }
}

template <Layout layout>
QN_FORCE_INLINE Floats load_plain(const std::byte* p) {
  if constexpr (layout == Layout::f16) return load_f16(p);
  if constexpr (layout == Layout::bf16) return load_bf16(p);
  return load(reinterpret_cast<const float*>(p));
}

template <Layout layout>
constexpr int plain_bytes = layout == Layout::f32 ? 4 : 2;

// The first `count` of sixteen, read without touching what lies beyond.
template <Layout layout>
QN_FORCE_INLINE Floats load_plain_first(const std::byte* p, int count) {
  std::byte copy[64] = {};
  std::memcpy(copy, p, static_cast<std::size_t>(count * plain_bytes<layout>));
  return load_plain<layout>(copy);
}

QN_FORCE_INLINE void write_outputs(const Outputs& out, int token, Floats value) {
  if (out.rows == panel_rows) {
    if (out.bias != nullptr) value = add(value, load(out.bias));
    if (out.residual != nullptr) value = add(value, load(out.residual + static_cast<std::size_t>(token) * out.residual_stride));
    store(out.y + static_cast<std::size_t>(token) * out.stride, value);
    return;
  }
  if (out.bias != nullptr) value = add(value, load_first(out.bias, out.rows));
  if (out.residual != nullptr)
    value = add(value, load_first(out.residual + static_cast<std::size_t>(token) * out.residual_stride, out.rows));
  store_first(out.y + static_cast<std::size_t>(token) * out.stride, value, out.rows);
}

constexpr int plain_rows_at_once = 4;
constexpr int plain_tokens_at_once = 4;

// sums[t][r]: sixteen partial sums of row r and token t, for rows [0, 4) from `rows` on.
template <Layout layout, int tokens>
QN_FORCE_INLINE void plain_tile(const std::byte* rows, std::size_t row_bytes, const float* x, int columns, Floats (*sums)[panel_rows]) {
  constexpr int size = plain_bytes<layout>;
  Floats acc[tokens][plain_rows_at_once];
  QN_UNROLL for (int t = 0; t < tokens; ++t) QN_UNROLL for (int r = 0; r < plain_rows_at_once; ++r) acc[t][r] = set(0.0f);
  const int whole = columns / 16 * 16;
  for (int i = 0; i < whole; i += 16) {
    Floats w[plain_rows_at_once];
    QN_UNROLL for (int r = 0; r < plain_rows_at_once; ++r) {
      const std::byte* at = rows + static_cast<std::size_t>(r) * row_bytes + i * size;
      w[r] = load_plain<layout>(at);
      __builtin_prefetch(at + plain_rows_at_once * row_bytes, 0, 2);  // the same place in the next four rows
    }
    QN_UNROLL for (int t = 0; t < tokens; ++t) {
      const Floats v = load(x + static_cast<std::ptrdiff_t>(t) * columns + i);
      QN_UNROLL for (int r = 0; r < plain_rows_at_once; ++r) acc[t][r] = fma(w[r], v, acc[t][r]);
    }
  }
  const int rest = columns - whole;
  for (int r = 0; rest > 0 && r < plain_rows_at_once; ++r) {
    const Floats w = load_plain_first<layout>(rows + static_cast<std::size_t>(r) * row_bytes + whole * size, rest);
    QN_UNROLL for (int t = 0; t < tokens; ++t) acc[t][r] =
        fma_first(w, load_first(x + static_cast<std::ptrdiff_t>(t) * columns + whole, rest), acc[t][r], rest);
  }
  QN_UNROLL for (int t = 0; t < tokens; ++t) QN_UNROLL for (int r = 0; r < plain_rows_at_once; ++r) sums[t][r] = acc[t][r];
}

// One row and one token: what is left when a panel is not full.
template <Layout layout>
Floats plain_row(const std::byte* row, const float* x, int columns) {
  Floats acc = set(0.0f);
  const int whole = columns / 16 * 16, rest = columns - whole;
  for (int i = 0; i < whole; i += 16) acc = fma(load_plain<layout>(row + i * plain_bytes<layout>), load(x + i), acc);
  if (rest > 0) acc = fma_first(load_plain_first<layout>(row + whole * plain_bytes<layout>, rest), load_first(x + whole, rest), acc, rest);
  return acc;
}

template <Layout layout, int tokens>
void plain_tokens(const PlainJob& job, int token) {
  Floats sums[tokens][panel_rows];
  const float* x = job.x + static_cast<std::ptrdiff_t>(token) * job.columns;
  int r = 0;
  for (; r + plain_rows_at_once <= job.out.rows; r += plain_rows_at_once) {
    Floats tile[tokens][panel_rows];
    plain_tile<layout, tokens>(job.rows + static_cast<std::size_t>(r) * job.row_bytes, job.row_bytes, x, job.columns, tile);
    QN_UNROLL for (int t = 0; t < tokens; ++t) for (int i = 0; i < plain_rows_at_once; ++i) sums[t][r + i] = tile[t][i];
  }
  for (; r < panel_rows; ++r)
    QN_UNROLL for (int t = 0; t < tokens; ++t) sums[t][r] =
        r < job.out.rows ? plain_row<layout>(job.rows + static_cast<std::size_t>(r) * job.row_bytes,
                                             x + static_cast<std::ptrdiff_t>(t) * job.columns, job.columns)
                         : set(0.0f);
  QN_UNROLL for (int t = 0; t < tokens; ++t) write_outputs(job.out, token + t, fold_each(sums[t]));
}

template <Layout layout>
void plain_as(const PlainJob& job) {
  int token = job.first_token;
  const int end = job.first_token + job.tokens;
  for (; token + plain_tokens_at_once <= end; token += plain_tokens_at_once) plain_tokens<layout, plain_tokens_at_once>(job, token);
  for (; token < end; ++token) plain_tokens<layout, 1>(job, token);
}

void plain(Layout layout, const PlainJob& job) {
  if (layout == Layout::f16) return plain_as<Layout::f16>(job);
  if (layout == Layout::bf16) return plain_as<Layout::bf16>(job);
  plain_as<Layout::f32>(job);
}

}  // namespace
}  // namespace qn::cpu
