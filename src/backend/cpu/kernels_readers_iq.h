// Readers of the formats whose codes number the points of a grid (quant/iq_grids.h). A point is eight or four bytes of a table, and
// fetching sixteen of them with one instruction costs more than copying them one by one: each row's magnitudes are copied behind each
// other, and turned like any other codes after that. Signs are a word of 32 bits for 32 columns. Included by kernels_<isa>.cpp.
#pragma once

#include "backend/cpu/kernels_readers.h"

namespace qn::cpu {
namespace {

struct alignas(64) Points {
  std::int8_t row[panel_rows][span_weights];
};
struct alignas(64) Words {
  std::uint8_t run[8][4 * panel_rows];  // a word of each row for every 32 columns
};

// place(block, row) writes one row's magnitudes.
template <class Format, class Place>
QN_FORCE_INLINE void copy_points(RowPointers rows, Points& points, Place place) {
  const std::byte* block = rows.quarter[0];
  for (int r = 0; r < panel_rows; ++r, block += rows.stride) place(*reinterpret_cast<const typename Format::Block*>(block), points.row[r]);
}

QN_FORCE_INLINE void put_words(const Bytes (&v)[8], Words& words) {
  QN_UNROLL for (int i = 0; i < 8; ++i) store_bytes(words.run[i], v[i]);
}

template <int group, class Sink>
QN_FORCE_INLINE void sink_run(int run, const Bytes (&q)[8], Sink sink) {
  if constexpr (group == 32) {
    sink(run, q);
  } else {
    sink(2 * run, q);
    sink(2 * run + 1, q + 4);
  }
}

template <int group, class Sink>
QN_FORCE_INLINE void sink_signed(const Points& points, const Words& signs, Sink sink) {
  const RowPointers rows = RowPointers::of({reinterpret_cast<const std::byte*>(points.row), span_weights});
  for (int run = 0; run < 8; ++run) {
    Bytes q[8];
    transpose_32(rows.at(32 * run), 0, q);
    const Bytes word = load_bytes(signs.run[run]);
    q[0] = from_signed(negate_spread<0>(q[0], word));
    q[1] = from_signed(negate_spread<1>(q[1], word));
    q[2] = from_signed(negate_spread<2>(q[2], word));
    q[3] = from_signed(negate_spread<3>(q[3], word));
    q[4] = from_signed(negate_spread<4>(q[4], word));
    q[5] = from_signed(negate_spread<5>(q[5], word));
    q[6] = from_signed(negate_spread<6>(q[6], word));
    q[7] = from_signed(negate_spread<7>(q[7], word));
    sink_run<group>(run, q, sink);
  }
}

QN_FORCE_INLINE void put_odd_scale(std::int32_t (&to)[panel_rows], Ints half) {
  store_ints(to, add(shift_left<1>(half), set(1)));
}
// Eight nibbles of a word: 2n + 1 is the scale of group n.
QN_FORCE_INLINE void put_odd_scales(Bytes word, std::int32_t (*to)[panel_rows]) {
  put_odd_scale(to[0], field<0, 4>(word));
  put_odd_scale(to[1], field<4, 4>(word));
  put_odd_scale(to[2], field<8, 4>(word));
  put_odd_scale(to[3], field<12, 4>(word));
  put_odd_scale(to[4], field<16, 4>(word));
  put_odd_scale(to[5], field<20, 4>(word));
  put_odd_scale(to[6], field<24, 4>(word));
  put_odd_scale(to[7], field<28, 4>(word));
}

QN_FORCE_INLINE void copy_8(std::int8_t* to, const std::int8_t (&point)[8]) {
  std::memcpy(to, point, 8);
}
QN_FORCE_INLINE void copy_4(std::int8_t* to, const std::int8_t (&point)[4]) {
  std::memcpy(to, point, 4);
}

struct ReadIQ2_XXS : WideReaderBase<quant::IQ2_XXS> {
  using Shape = Wide<256, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    QN_UNROLL for (int part = 0; part < 2; ++part) {
      Bytes v[8];  // points and signs by turns
      transpose_32(rows.at(2 + 32 * part), 0, v);
      QN_UNROLL for (int i = 0; i < 4; ++i) put_odd_scale(head.scale[4 * part + i], field<28, 4>(v[2 * i + 1]));
    }
    store(head.d[0], mul(gather_f16(rows, 0), set(0.125f)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ2_XXS>(rows, points, [](const quant::IQ2_XXS::Block& block, std::int8_t* to) {
      for (int run = 0; run < 8; ++run)
        QN_UNROLL for (int i = 0; i < 4; ++i) copy_8(to + run * 32 + i * 8, quant::iq2_xxs_grid.row[block.runs[run][i]]);
    });
    Words signs;
    QN_UNROLL for (int part = 0; part < 2; ++part) {
      Bytes v[8];
      transpose_32(rows.at(2 + 32 * part), 0, v);
      QN_UNROLL for (int i = 0; i < 4; ++i) store_bytes(signs.run[4 * part + i], with_parity(spread_sevens(v[2 * i + 1])));
    }
    sink_signed<32>(points, signs, sink);
  }
};

struct ReadIQ2_XS : WideReaderBase<quant::IQ2_XS> {
  using Shape = Wide<256, 16>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    put_odd_scales(gather_u32(rows, 66), head.scale);
    put_odd_scales(gather_u32(rows, 70), head.scale + 8);
    store(head.d[0], mul(gather_f16(rows, 0), set(0.125f)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ2_XS>(rows, points, [](const quant::IQ2_XS::Block& block, std::int8_t* to) {
      for (int run = 0; run < 8; ++run)
        QN_UNROLL for (int i = 4 * run; i < 4 * run + 4; ++i) copy_8(to + i * 8, quant::iq2_xs_grid.row[block.points[i].value() & 511]);
    });
    Words signs;
    QN_UNROLL for (int part = 0; part < 2; ++part) {
      Bytes v[8];
      transpose_32(rows.at(2 + 32 * part), 0, v);
      QN_UNROLL for (int i = 0; i < 4; ++i) store_bytes(signs.run[4 * part + i], with_parity(upper_sevens(v[2 * i], v[2 * i + 1])));
    }
    sink_signed<16>(points, signs, sink);
  }
};

struct ReadIQ2_S : WideReaderBase<quant::IQ2_S> {
  using Shape = Wide<256, 16>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    put_odd_scales(gather_u32(rows, 74), head.scale);
    put_odd_scales(gather_u32(rows, 78), head.scale + 8);
    store(head.d[0], mul(gather_f16(rows, 0), set(0.125f)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ2_S>(rows, points, [](const quant::IQ2_S::Block& block, std::int8_t* to) {
      for (int run = 0; run < 8; ++run) {
        const int high = block.qh[run] << 8;
        QN_UNROLL for (int i = 0; i < 4; ++i)
            copy_8(to + run * 32 + i * 8, quant::iq2_s_grid.row[block.q[run * 4 + i] | (high >> 2 * i & 0x300)]);
      }
    });
    Words signs;
    Bytes v[8];
    transpose_32(rows, 34, v);
    put_words(v, signs);
    sink_signed<16>(points, signs, sink);
  }
};

struct ReadIQ3_XXS : WideReaderBase<quant::IQ3_XXS> {
  using Shape = Wide<256, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    Bytes v[8];
    transpose_32(rows, 66, v);
    QN_UNROLL for (int run = 0; run < 8; ++run) put_odd_scale(head.scale[run], field<28, 4>(v[run]));
    store(head.d[0], mul(gather_f16(rows, 0), set(0.25f)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ3_XXS>(rows, points, [](const quant::IQ3_XXS::Block& block, std::int8_t* to) {
      for (int run = 0; run < 8; ++run)
        QN_UNROLL for (int i = 8 * run; i < 8 * run + 8; ++i) copy_4(to + i * 4, quant::iq3_xxs_grid.row[block.q[i]]);
    });
    Words signs;
    Bytes v[8];
    transpose_32(rows, 66, v);
    QN_UNROLL for (int run = 0; run < 8; ++run) v[run] = with_parity(spread_sevens(v[run]));
    put_words(v, signs);
    sink_signed<32>(points, signs, sink);
  }
};

struct ReadIQ3_S : WideReaderBase<quant::IQ3_S> {
  using Shape = Wide<256, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    put_odd_scales(gather_u32(rows, 106), head.scale);
    store(head.d[0], gather_f16(rows, 0));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ3_S>(rows, points, [](const quant::IQ3_S::Block& block, std::int8_t* to) {
      for (int run = 0; run < 8; ++run) {
        const int ninth = block.qh[run] << 8;
        QN_UNROLL for (int i = 0; i < 8; ++i)
            copy_4(to + run * 32 + i * 4, quant::iq3_s_grid.row[block.q[run * 8 + i] | (ninth >> i & 0x100)]);
      }
    });
    Words signs;
    Bytes v[8];
    transpose_32(rows, 74, v);
    put_words(v, signs);
    sink_signed<32>(points, signs, sink);
  }
};

// Eight codes of a grid with an offset of one, added without carries from byte to byte.
QN_FORCE_INLINE void copy_with_offset(std::int8_t* to, const std::int8_t (&point)[8], bool negative) {
  std::uint64_t codes;
  std::memcpy(&codes, point, 8);
  constexpr std::uint64_t ones = 0x0101010101010101u, tops = 0x80 * ones;
  const std::uint64_t offset = negative ? 0xff * ones : ones;
  codes = ((codes & ~tops) + (offset & ~tops)) ^ ((codes ^ offset) & tops);
  std::memcpy(to, &codes, 8);
}

template <int group, class Sink>
QN_FORCE_INLINE void sink_points(const Points& points, Sink sink) {
  const RowPointers rows = RowPointers::of({reinterpret_cast<const std::byte*>(points.row), span_weights});
  for (int run = 0; run < 8; ++run) {
    Bytes q[8];
    transpose_32(rows.at(32 * run), 0, q);
    QN_UNROLL for (int i = 0; i < 8; ++i) q[i] = from_signed(q[i]);
    sink_run<group>(run, q, sink);
  }
}

struct ReadIQ1_S : WideReaderBase<quant::IQ1_S> {
  using Shape = Wide<256, 32>;
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    Bytes v[4];  // two runs each
    transpose_16(rows, 34, v);
    QN_UNROLL for (int i = 0; i < 4; ++i) {
      put_odd_scale(head.scale[2 * i], field<12, 3>(v[i]));
      put_odd_scale(head.scale[2 * i + 1], field<28, 3>(v[i]));
    }
    store(head.d[0], mul(gather_f16(rows, 0), set(0.125f)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ1_S>(rows, points, [](const quant::IQ1_S::Block& block, std::int8_t* to) {
      for (int run = 0; run < 8; ++run) {
        const int high = block.qh[run].value();
        QN_UNROLL for (int i = 0; i < 4; ++i) copy_with_offset(
            to + run * 32 + i * 8, quant::iq1_grid.row[block.q[run * 4 + i] | (high >> 3 * i & 7) << 8], (high & 0x8000) != 0);
      }
    });
    sink_points<32>(points, sink);
  }
};

struct ReadIQ1_M : WideReaderBase<quant::IQ1_M> {
  using Shape = Wide<256, 16>;
  QN_FORCE_INLINE static void put_four_scales(std::int32_t (*to)[panel_rows], Bytes words, bool second) {
    const Bytes word = second ? words_upper(words) : words;
    put_odd_scale(to[0], field<0, 3>(word));
    put_odd_scale(to[1], field<3, 3>(word));
    put_odd_scale(to[2], field<6, 3>(word));
    put_odd_scale(to[3], field<9, 3>(word));
  }
  QN_FORCE_INLINE static void head(RowPointers rows, int, SpanHead& head) {
    const Bytes a = gather_u32(rows, 48), b = gather_u32(rows, 52);
    put_four_scales(head.scale, a, false);
    put_four_scales(head.scale + 4, a, true);
    put_four_scales(head.scale + 8, b, false);
    put_four_scales(head.scale + 12, b, true);
    const Ints d =
        add(add(field<12, 4>(a), shift_left<4>(field<28, 4>(a))), add(shift_left<8>(field<12, 4>(b)), shift_left<12>(field<28, 4>(b))));
    store(head.d[0], mul(low_half(as_bytes(d)), set(0.125f)));
  }
  template <class Sink>
  QN_FORCE_INLINE static void codes(RowPointers rows, Sink sink) {
    Points points;
    copy_points<quant::IQ1_M>(rows, points, [](const quant::IQ1_M::Block& block, std::int8_t* to) {
      for (int pair = 0; pair < 16; ++pair) QN_UNROLL for (int i = 0; i < 2; ++i) {
          const int high = block.qh[pair] >> 4 * i, point = 2 * pair + i;
          copy_with_offset(to + point * 8, quant::iq1_grid.row[block.q[point] | (high & 7) << 8], (high & 8) != 0);
        }
    });
    sink_points<16>(points, sink);
  }
};

}  // namespace
}  // namespace qn::cpu
