// How the blocks of each format become spans: see kernels_direct.h for what a reader is, and quant/<format>.h for the bits that it reads.
// A format without a reader here works too, through its quant::Format::unpack. Included by kernels_<isa>.cpp.
#pragma once

#include "backend/cpu/kernels_direct.h"
#include "quant/iq4_steps.h"
#include "quant/mxfp4.h"
#include "quant/registry.h"

namespace qn::cpu {
namespace {

template <class Format>
struct ReaderBase {
  static constexpr int weights = Format::weights;
  static constexpr int bytes = sizeof(typename Format::Block);
  static constexpr std::uint32_t gguf_type = Format::gguf_type;
  static constexpr bool wide_codes = false;
};
// Codes of eight bits, with the bias that the instruction set likes.
template <class Format>
struct WideReaderBase : ReaderBase<Format> {
  static constexpr bool wide_codes = true;
  static constexpr int bias = signed_bias;
};
template <int block, int group, bool has_min = false>
using Narrow = ShapeOf<block, group, has_min, false>;
template <int block, int group>
using Wide = ShapeOf<block, group, false, signed_is_different>;

// The four bytes of a lane as the scales of four groups, or the minima of two pairs.
QN_FORCE_INLINE void put_scales(Bytes v, std::int32_t (*to)[panel_rows]) {
  store_ints(to[0], field<0, 8>(v));
  store_ints(to[1], field<8, 8>(v));
  store_ints(to[2], field<16, 8>(v));
  store_ints(to[3], field<24, 8>(v));
}
QN_FORCE_INLINE void put_scales_less_32(Bytes v, std::int32_t (*to)[panel_rows]) {
  const Ints offset = set(32);
  store_ints(to[0], sub(field<0, 8>(v), offset));
  store_ints(to[1], sub(field<8, 8>(v), offset));
  store_ints(to[2], sub(field<16, 8>(v), offset));
  store_ints(to[3], sub(field<24, 8>(v), offset));
}
QN_FORCE_INLINE void put_signed_scales(Bytes v, std::int32_t (*to)[panel_rows]) {
  store_ints(to[0], signed_byte<0>(v));
  store_ints(to[1], signed_byte<1>(v));
  store_ints(to[2], signed_byte<2>(v));
  store_ints(to[3], signed_byte<3>(v));
}
QN_FORCE_INLINE void put_minima(Bytes v, std::int16_t (*to)[panel_rows][2]) {
  store_pairs(to[0], first_bytes(v));
  store_pairs(to[1], second_bytes(v));
}

template <int value>
struct Constant {
  static constexpr int of = value;
};

// body(Constant<0>), body(Constant<1>), ...: for shifts, whose count an instruction holds.
template <class Body>
QN_FORCE_INLINE void four_times(Body body) {
  body(Constant<0>{});
  body(Constant<1>{});
  body(Constant<2>{});
  body(Constant<3>{});
}

// Blocks of 32: the low nibbles of 16 bytes, then the high ones.

template <class Format, int at>
QN_FORCE_INLINE void read_nibbles(RowPointers rows, Bytes (&q)[8]) {
  Bytes v[4];
  transpose_16(rows, at, v);
  QN_UNROLL for (int i = 0; i < 4; ++i) {
    q[i] = bits<0, 15>(v[i]);
    q[i + 4] = bits<4, 15>(v[i]);
  }
}

template <class Format, bool minimum, int fifths_at, int codes_at>
struct SmallReader : ReaderBase<Format> {
  using Shape = Narrow<32, 32, minimum>;
  static constexpr int bias = minimum ? 0 : fifths_at > 0 ? 16 : 8;

  QN_FORCE_INLINE static void head(RowPointers rows, int blocks, SpanHead& head) {
    for (int b = 0; b < blocks; ++b) {
      store(head.d[b], gather_f16(rows, b * ReaderBase<Format>::bytes));
      if constexpr (minimum) store(head.dmin[b], negated(gather_f16(rows, b * ReaderBase<Format>::bytes + 2)));
    }
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes q[8];
    read_nibbles<Format, codes_at>(rows, q);
    if constexpr (fifths_at > 0) {
      const Bytes fifths = gather_u32(rows, fifths_at);  // bit k is column k's
      q[0] = join_spread<0>(q[0], fifths);
      q[1] = join_spread<1>(q[1], fifths);
      q[2] = join_spread<2>(q[2], fifths);
      q[3] = join_spread<3>(q[3], fifths);
      q[4] = join_spread<4>(q[4], fifths);
      q[5] = join_spread<5>(q[5], fifths);
      q[6] = join_spread<6>(q[6], fifths);
      q[7] = join_spread<7>(q[7], fifths);
    }
    sink(0, q);
  }
};
using ReadQ4_0 = SmallReader<quant::Q4_0, false, 0, 2>;
using ReadQ4_1 = SmallReader<quant::Q4_1, true, 0, 4>;
using ReadQ5_0 = SmallReader<quant::Q5_0, false, 2, 6>;
using ReadQ5_1 = SmallReader<quant::Q5_1, true, 4, 8>;

struct ReadQ8_0 : WideReaderBase<quant::Q8_0> {
  using Shape = Wide<32, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int blocks, SpanHead& head) {
    for (int b = 0; b < blocks; ++b) store(head.d[b], gather_f16(rows, b * bytes));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes q[8];
    transpose_32(rows, 2, q);
    QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = from_signed(q[i]);
    sink(0, q);
  }
};

// Sixteen codes of eight bits, as dot4_signed takes them.
struct StepTable {
  std::int8_t step[16];
};
constexpr StepTable steps_of(const std::int8_t (&steps)[16]) {
  StepTable table{};
  for (int i = 0; i < 16; ++i) table.step[i] = static_cast<std::int8_t>(steps[i] + signed_bias);
  return table;
}
constexpr StepTable iq4_steps = steps_of(quant::iq4_step);
constexpr StepTable mxfp4_steps = steps_of(quant::MXFP4::doubled);

struct ReadIQ4_NL : WideReaderBase<quant::IQ4_NL> {
  using Shape = Wide<32, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int blocks, SpanHead& head) {
    for (int b = 0; b < blocks; ++b) store(head.d[b], gather_f16(rows, b * bytes));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes q[8];
    read_nibbles<quant::IQ4_NL, 2>(rows, q);
    QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = look_up(q[i], iq4_steps.step);
    sink(0, q);
  }
};

struct ReadMXFP4 : WideReaderBase<quant::MXFP4> {
  using Shape = Wide<32, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int blocks, SpanHead& head) {
    // The two smallest powers of quant::MXFP4::half_power are denormals, which count as zeros.
    for (int b = 0; b < blocks; ++b) store(head.d[b], exponents(gather_u8(rows, b * bytes)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes q[8];
    read_nibbles<quant::MXFP4, 1>(rows, q);
    QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = look_up(q[i], mxfp4_steps.step);
    sink(0, q);
  }
};

// Blocks of 256.

// d, dmin and the 12 bytes of quant/k_scales.h, at the block's beginning: Q4_K and Q5_K.
QN_FORCE_INLINE void read_k_head(RowPointers rows, SpanHead& head) {
  Bytes v[4];
  transpose_16(rows, 0, v);
  put_scales(bits<0, 0x3f>(v[1]), head.scale);
  put_scales(join_bits<2, 0x30>(bits<0, 15>(v[3]), v[1]), head.scale + 4);
  put_minima(bits<0, 0x3f>(v[2]), head.min_pair);
  put_minima(join_bits<2, 0x30>(bits<4, 15>(v[3]), v[2]), head.min_pair + 2);
  store(head.d[0], low_half(v[0]));
  store(head.dmin[0], high_half(v[0]));
}

struct ReadQ4_K : ReaderBase<quant::Q4_K> {
  using Shape = Narrow<256, 32, true>;
  static constexpr int bias = 0;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) { read_k_head(rows, head); }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    for (int chunk = 0; chunk < 4; ++chunk) {
      Bytes v[8], q[8];
      transpose_32(rows, 16 + chunk * 32, v);
      QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = bits<0, 15>(v[i]);
      sink(2 * chunk, q);
      QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = bits<4, 15>(v[i]);
      sink(2 * chunk + 1, q);
    }
  }
};

struct ReadQ5_K : ReaderBase<quant::Q5_K> {
  using Shape = Narrow<256, 32, true>;
  static constexpr int bias = 0;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) { read_k_head(rows, head); }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes fifth[8];  // bits 2c and 2c + 1 of each byte belong to chunk c
    transpose_32(rows, 16, fifth);
    for (int chunk = 0; chunk < 4; ++chunk) {
      Bytes v[8], q[8];
      transpose_32(rows, 48 + chunk * 32, v);
      QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = join_bits<-4, 16>(bits<0, 15>(v[i]), fifth[i]);
      sink(2 * chunk, q);
      QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = join_bits<-3, 16>(bits<4, 15>(v[i]), fifth[i]);
      sink(2 * chunk + 1, q);
      QN_UNROLL for (int i = 0; i < 8; ++i) fifth[i] = bits<2, 0x3f>(fifth[i]);
    }
  }
};

struct ReadQ6_K : ReaderBase<quant::Q6_K> {
  using Shape = Narrow<256, 16>;
  static constexpr int bias = 32;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    Bytes v[4];
    transpose_16(rows, 192, v);
    QN_UNROLL for (int i = 0; i < 4; ++i) put_signed_scales(v[i], head.scale + 4 * i);
    store(head.d[0], gather_f16(rows, 208));
  }
  template <int low_right, int high_right, class Sink>
  QN_FORCE_INLINE static void two_groups(int group, const Bytes (&low)[8], const Bytes (&high)[8], Sink sink) {
    Bytes q[8];
    QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = join_bits<high_right, 0x30>(bits<low_right, 15>(low[i]), high[i]);
    sink(group, q);
    sink(group + 1, q + 4);
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    for (int half = 0; half < 2; ++half) {
      Bytes low[8], high[8];
      transpose_32(rows, 128 + half * 32, high);
      transpose_32(rows, half * 64, low);
      two_groups<0, -4>(half * 8, low, high, sink);
      two_groups<4, 0>(half * 8 + 4, low, high, sink);
      transpose_32(rows, half * 64 + 32, low);
      two_groups<0, -2>(half * 8 + 2, low, high, sink);
      two_groups<4, 2>(half * 8 + 6, low, high, sink);
    }
  }
};

struct ReadQ3_K : ReaderBase<quant::Q3_K> {
  using Shape = Narrow<256, 16>;
  static constexpr int bias = 4;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    Bytes v[4];
    transpose_16(rows, 94, v);  // two bytes of codes, twelve of scales, d: all of them inside the block
    const Bytes a = straddle(v[0], v[1]), b = straddle(v[1], v[2]), c = straddle(v[2], v[3]);
    put_scales_less_32(join_bits<-4, 0x30>(bits<0, 15>(a), c), head.scale);
    put_scales_less_32(join_bits<-2, 0x30>(bits<0, 15>(b), c), head.scale + 4);
    put_scales_less_32(join_bits<0, 0x30>(bits<4, 15>(a), c), head.scale + 8);
    put_scales_less_32(join_bits<2, 0x30>(bits<4, 15>(b), c), head.scale + 12);
    store(head.d[0], high_half(v[3]));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes third[8];  // bit r of each byte belongs to run r
    transpose_32(rows, 0, third);
    for (int half = 0; half < 2; ++half) {
      Bytes v[8];
      transpose_32(rows, 32 + half * 32, v);
      four_times([&](auto run) QN_FORCE_LAMBDA {
        Bytes q[8];
        QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = join_bits<run.of - 2, 4>(bits<2 * run.of, 3>(v[i]), third[i]);
        sink(half * 8 + run.of * 2, q);
        sink(half * 8 + run.of * 2 + 1, q + 4);
      });
      QN_UNROLL for (int i = 0; i < 8; ++i) third[i] = bits<4, 15>(third[i]);
    }
  }
};

struct ReadQ2_K : ReaderBase<quant::Q2_K> {
  using Shape = Narrow<256, 16, true>;
  static constexpr int bias = 0;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    Bytes v[4];
    transpose_16(rows, 0, v);
    QN_UNROLL for (int i = 0; i < 4; ++i) {
      put_scales(bits<0, 15>(v[i]), head.scale + 4 * i);
      put_minima(bits<4, 15>(v[i]), head.min_pair + 2 * i);
    }
    const Bytes factors = gather_u32(rows, 80);
    store(head.d[0], low_half(factors));
    store(head.dmin[0], high_half(factors));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    for (int half = 0; half < 2; ++half) {
      Bytes v[8];
      transpose_32(rows, 16 + half * 32, v);
      four_times([&](auto run) QN_FORCE_LAMBDA {
        Bytes q[8];
        QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = bits<2 * run.of, 3>(v[i]);
        sink(half * 8 + run.of * 2, q);
        sink(half * 8 + run.of * 2 + 1, q + 4);
      });
    }
  }
};

struct ReadIQ4_XS : WideReaderBase<quant::IQ4_XS> {
  using Shape = Wide<256, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    const Bytes high = gather_u32(rows, 0), low = gather_u32(rows, 4);  // d and two bits of each scale; four bits of each
    const auto put = [&](auto pair) QN_FORCE_LAMBDA {
      constexpr int first = 2 * pair.of;
      const Ints offset = set(32);
      store_ints(head.scale[first], sub(add(field<4 * first, 4>(low), shift_left<4>(field<16 + 2 * first, 2>(high))), offset));
      store_ints(head.scale[first + 1], sub(add(field<4 * first + 4, 4>(low), shift_left<4>(field<18 + 2 * first, 2>(high))), offset));
    };
    four_times(put);
    store(head.d[0], low_half(high));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    for (int pair = 0; pair < 4; ++pair) {
      Bytes v[8], q[8];
      transpose_32(rows, 8 + pair * 32, v);
      QN_UNROLL for (int half = 0; half < 2; ++half) {
        QN_UNROLL for (int i = 0; i < 4; ++i) {
          q[i] = look_up(bits<0, 15>(v[half * 4 + i]), iq4_steps.step);
          q[i + 4] = look_up(bits<4, 15>(v[half * 4 + i]), iq4_steps.step);
        }
        sink(2 * pair + half, q);
      }
    }
  }
};

QN_FORCE_INLINE void set_scales_to_one(SpanHead& head) {
  for (int group = 0; group < 8; ++group) store_ints(head.scale[group], set(1));
}

struct ReadTQ2_0 : ReaderBase<quant::TQ2_0> {
  using Shape = Narrow<256, 32>;
  static constexpr int bias = 1;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    set_scales_to_one(head);
    store(head.d[0], gather_f16(rows, 64));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    for (int half = 0; half < 2; ++half) {
      Bytes v[8];
      transpose_32(rows, half * 32, v);
      four_times([&](auto run) QN_FORCE_LAMBDA {
        Bytes q[8];
        QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = bits<2 * run.of, 3>(v[i]);
        sink(half * 4 + run.of, q);
      });
    }
  }
};

// A byte is five digits of base three as a fraction of 256: the first digit is what of three times it passes 256.
struct ReadTQ1_0 : ReaderBase<quant::TQ1_0> {
  using Shape = Narrow<256, 32>;
  static constexpr int bias = 1;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    set_scales_to_one(head);
    store(head.d[0], gather_f16(rows, 52));
  }
  QN_FORCE_INLINE static Bytes take_digit(Bytes& fraction) {
    const Bytes digit = plus(one_from(fraction, 86), one_from(fraction, 171));
    fraction = plus(plus(fraction, fraction), fraction);
    return digit;
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Bytes v[8], q[8];
    transpose_32(rows, 0, v);
    for (int group = 0; group < 5; ++group) {
      QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = take_digit(v[i]);
      sink(group, q);
    }
    Bytes w[4];
    transpose_16(rows, 32, w);
    for (int group = 5; group < 7; ++group) {
      QN_UNROLL for (int i = 0; i < 4; ++i) q[i] = take_digit(w[i]);
      QN_UNROLL for (int i = 0; i < 4; ++i) q[i + 4] = take_digit(w[i]);
      sink(group, q);
    }
    QN_UNROLL for (int i = 0; i < 4; ++i) q[i] = take_digit(w[i]);
    Bytes last = gather_u32(rows, 48);
    QN_UNROLL for (int i = 4; i < 8; ++i) q[i] = take_digit(last);
    sink(7, q);
  }
};

}  // namespace
}  // namespace qn::cpu
