// Rows of cached keys and values as floats: the bits of each format's own dequantize. Included once by each kernels_<isa>.cpp.
#pragma once

#include "backend/cpu/kernels.h"
#include "quant/iq4_steps.h"

namespace qn::cpu {
namespace {

constexpr auto iq4_floats = [] {
  struct {
    float step[16];
  } table{};
  for (int i = 0; i < 16; ++i) table.step[i] = static_cast<float>(quant::iq4_step[i]);
  return table;
}();

// Thirty-two numbers of a row: `half` 0 or 1 names sixteen of them.
template <RowType type>
struct Block;

template <Layout layout>
struct PlainBlock {
  static constexpr int bytes = 32 * plain_bytes<layout>;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return load_plain<layout>(p + half * 16 * plain_bytes<layout>);
  }
};
template <>
struct Block<RowType::f32> : PlainBlock<Layout::f32> {};
template <>
struct Block<RowType::f16> : PlainBlock<Layout::f16> {};
template <>
struct Block<RowType::bf16> : PlainBlock<Layout::bf16> {};

template <>
struct Block<RowType::q8_0> {
  static constexpr int bytes = 34;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return mul(set_f16(p), load_s8(p + 2 + 16 * half));
  }
};

template <int half>
QN_FORCE_INLINE Ints nibbles(const std::byte* p) {
  return half == 0 ? low_nibble(load_u8(p)) : high_nibble(load_u8(p));
}

template <>
struct Block<RowType::q4_0> {
  static constexpr int bytes = 18;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return mul(set_f16(p), to_floats(sub(nibbles<half>(p + 2), set(8))));
  }
};

template <>
struct Block<RowType::q4_1> {
  static constexpr int bytes = 20;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return add(mul(set_f16(p), to_floats(nibbles<half>(p + 4))), set_f16(p + 2));
  }
};

template <int half>
QN_FORCE_INLINE Ints fives(const std::byte* p) {  // the fifth bits, then the nibbles
  std::uint16_t fifths;
  std::memcpy(&fifths, p + 2 * half, sizeof fifths);
  return add(nibbles<half>(p + 4), sixteens(fifths));
}

template <>
struct Block<RowType::q5_0> {
  static constexpr int bytes = 22;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return mul(set_f16(p), to_floats(sub(fives<half>(p + 2), set(16))));
  }
};

template <>
struct Block<RowType::q5_1> {
  static constexpr int bytes = 24;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return add(mul(set_f16(p), to_floats(fives<half>(p + 4))), set_f16(p + 2));
  }
};

template <>
struct Block<RowType::iq4_nl> {
  static constexpr int bytes = 18;
  template <int half>
  QN_FORCE_INLINE static Floats load(const std::byte* p) {
    return mul(set_f16(p), look_up(nibbles<half>(p + 2), iq4_floats.step));
  }
};

// body.operator()<type>() for every type but `other`.
template <class Body>
QN_FORCE_INLINE void with_row_type(RowType type, const Body& body) {
  switch (type) {
    case RowType::f32: return body.template operator()<RowType::f32>();
    case RowType::f16: return body.template operator()<RowType::f16>();
    case RowType::bf16: return body.template operator()<RowType::bf16>();
    case RowType::q8_0: return body.template operator()<RowType::q8_0>();
    case RowType::q4_0: return body.template operator()<RowType::q4_0>();
    case RowType::q4_1: return body.template operator()<RowType::q4_1>();
    case RowType::q5_0: return body.template operator()<RowType::q5_0>();
    case RowType::q5_1: return body.template operator()<RowType::q5_1>();
    case RowType::iq4_nl: return body.template operator()<RowType::iq4_nl>();
    case RowType::other: return;
  }
}

template <Layout layout>
QN_FORCE_INLINE void decode_rest(const std::byte* from, float* to, int count) {
  for (; count > 0; count -= 16, from += 16 * plain_bytes<layout>, to += 16)
    store_first(to, load_plain_first<layout>(from, count < 16 ? count : 16), count);
}

template <RowType type>
QN_FORCE_INLINE void decode_row(const std::byte* from, float* to, int count) {
  for (; count >= 32; count -= 32, from += Block<type>::bytes, to += 32) {
    store(to, Block<type>::template load<0>(from));
    store(to + 16, Block<type>::template load<1>(from));
  }
  if constexpr (type == RowType::f32) decode_rest<Layout::f32>(from, to, count);
  if constexpr (type == RowType::f16) decode_rest<Layout::f16>(from, to, count);
  if constexpr (type == RowType::bf16) decode_rest<Layout::bf16>(from, to, count);
}

void decode(RowType type, const std::byte* from, float* to, int count) {
  with_row_type(type, [&]<RowType t>() QN_FORCE_LAMBDA { decode_row<t>(from, to, count); });
}

template <int bytes>
QN_FORCE_INLINE void fetch(const std::byte* soon) {
  QN_UNROLL for (int byte = 0; byte < bytes; byte += 64) __builtin_prefetch(soon + byte);
}

// Rows [begin, end) of the chunk to `to` [end - begin, stride]; what is beyond the head becomes 0.
void decode_rows(const CachedRows& rows, int begin, int end, int head, int stride, float* to) {
  const auto row = [&](int j) QN_FORCE_LAMBDA { return to + static_cast<std::ptrdiff_t>(j - begin) * stride; };
  if (rows.type == RowType::other) {
    for (int j = begin; j < end; ++j) rows.dequantize(rows.at[j], row(j), static_cast<std::size_t>(rows.blocks));
  } else {
    with_row_type(rows.type, [&]<RowType type>() QN_FORCE_LAMBDA {
      for (int j = begin; j < end; ++j) {
        for (int byte = 0; byte < rows.bytes; byte += 64) __builtin_prefetch(rows.soon[j] + byte);
        decode_row<type>(rows.at[j], row(j), head);
      }
    });
  }
  for (int j = begin; j < end && head < stride; ++j)
    for (int d = head; d < stride; ++d) row(j)[d] = 0;
}

}  // namespace
}  // namespace qn::cpu
