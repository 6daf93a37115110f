// The two ways from a file's rows: direct(), which unpacks a span in registers and multiplies it with up to four tokens at once, and
// unpack(), which leaves spans in memory for kernels_spans.h. Both are loops over a format's reader (kernels_readers.h):
//
//   weights, bytes   of a block
//   Shape            see kernels_spans.h; and bias
//   head             d, minima, scales of a span
//   codes            calls sink(group, quads) for every group of one block, in any order; quads[i] are columns 4i .. 4i + 3 of the group
//
// Included once by each kernels_<isa>.cpp.
#pragma once

#include "backend/cpu/kernels_spans.h"
#include "backend/cpu/row_pointers.h"

namespace qn::cpu {
namespace {

// A row's bytes that are worked on while as many are fetched: short rows whole, so that memory is read in one run, longer ones in pieces of
// which sixteen rows fit a first-level cache twice. One thread of a Zen 5 EPYC reads Q4_K at 9 GB/s without fetching ahead, at 80 to 100 %
// of the bandwidth with it.
constexpr int short_row_bytes = 2304;
constexpr int chunk_bytes = 1024;

template <class F>
constexpr int span_blocks = span_weights / F::weights;
template <class F>
constexpr int span_bytes = span_blocks<F>* F::bytes;

template <class F, int tokens>
QN_FORCE_INLINE void direct_span(RowPointers rows, int blocks, const Tile<tokens>& x, int index, Floats (&acc)[tokens], Ahead& ahead) {
  using S = typename F::Shape;
  constexpr int groups = span_weights / S::group;
  SpanHead head;
  F::head(rows, blocks, head);
  const auto dot_group = [&](int group, const Bytes* quads, Ints(&part)[tokens]) QN_FORCE_LAMBDA {
    ahead.step();
    QN_TOKENS(t) part[t] = set(x.start[t][index * groups + group]);
    QN_UNROLL for (int i = 0; i < S::group / 4; ++i) QN_TOKENS(t) part[t] =
        dot<S::is_signed>(part[t], quads[i], load_quad(x.code[t] + index * span_weights + group * S::group + i * 4));
  };
  if constexpr (F::weights == 256) {
    Ints total[tokens];
    QN_TOKENS(t) total[t] = zero();
    F::codes(rows, [&](int group, const Bytes* quads) QN_FORCE_LAMBDA {
      Ints part[tokens];
      dot_group(group, quads, part);
      const Ints scale = load_ints(head.scale[group]);
      QN_TOKENS(t) total[t] = add(total[t], mul(part[t], scale));
    });
    const Floats d = load(head.d[0]);
    QN_TOKENS(t) {
      acc[t] = add_scaled(acc[t], d, x.scale[t][index], total[t]);
      if constexpr (S::has_min)
        acc[t] = subtract_scaled(acc[t], load(head.dmin[0]), x.scale[t][index],
                                 sum_of_minima<S>(head, x.sum_16[t] + index * 16, x.sum_32[t] + index * 8));
    }
  } else {
    for (int block = 0; block < blocks; ++block) {
      const int column_block = index * groups + block;
      F::codes(rows.at(block * F::bytes), [&](int, const Bytes* quads) QN_FORCE_LAMBDA {
        Ints part[tokens];
        dot_group(block, quads, part);
        const Floats d = load(head.d[block]);
        QN_TOKENS(t) {
          acc[t] = add_scaled(acc[t], d, x.scale[t][column_block], part[t]);
          if constexpr (S::has_min)
            acc[t] =
                subtract_scaled(acc[t], load(head.dmin[block]), x.scale[t][column_block], set(std::int32_t{x.sum_32[t][column_block]}));
        }
      });
    }
  }
}

template <class F, int tokens>
void direct_tile(const DirectJob& job, int token) {
  const Tile<tokens> x = tile_of<tokens>(job.x, token, 0, F::Shape::group);
  const int blocks = job.x.columns / F::weights;
  const int spans_in_all = (blocks + span_blocks<F> - 1) / span_blocks<F>;
  const std::size_t row_bytes = static_cast<std::size_t>(blocks) * F::bytes;
  // Chunks of about the same length, so that fetching ahead goes at an even pace.
  const int chunks = row_bytes <= short_row_bytes ? 1 : (spans_in_all * span_bytes<F> + chunk_bytes - 1) / chunk_bytes;
  const int chunk_spans = (spans_in_all + chunks - 1) / chunks;
  const std::size_t chunk = static_cast<std::size_t>(chunk_spans) * span_bytes<F>;
  RowPointers rows = RowPointers::of(job.rows);
  Floats acc[tokens];
  QN_TOKENS(t) acc[t] = set(0.0f);
  for (int first = 0; first < spans_in_all; first += chunk_spans) {
    const std::size_t end = (static_cast<std::size_t>(first) * span_bytes<F>)+chunk;
    const int count = spans_in_all - first < chunk_spans ? spans_in_all - first : chunk_spans;
    // What comes next: this panel's next columns, or the next panel's first.
    const bool last = end >= row_bytes;
    const std::byte* next = last ? job.next : job.rows.first + end;
    const std::size_t left = last ? row_bytes : row_bytes - end;
    Ahead ahead({next, job.rows.stride}, panel_rows, left < chunk ? left : chunk, count * steps_of_span<typename F::Shape>);
    for (int i = first; i < first + count; ++i) {
      const int left_blocks = blocks - i * span_blocks<F>;
      direct_span<F, tokens>(rows, left_blocks < span_blocks<F> ? left_blocks : span_blocks<F>, x, i, acc, ahead);
      rows = rows.at(span_bytes<F>);
    }
  }
  QN_TOKENS(t) write_outputs(job.out, token + t, acc[t]);
}

template <class F>
void direct(const DirectJob& job) {
  switch (job.tokens) {
    case 1: return direct_tile<F, 1>(job, job.first_token);
    case 2: return direct_tile < F, most_direct_tokens < 2 ? 1 : 2 > (job, job.first_token);
    case 3: return direct_tile < F, most_direct_tokens < 3 ? 1 : 3 > (job, job.first_token);
    case 4: return direct_tile < F, most_direct_tokens < 4 ? 1 : 4 > (job, job.first_token);
    default: return;
  }
}

template <class F>
void unpack(Rows from, int blocks, Span* to) {
  constexpr int quads = F::Shape::group / 4;
  RowPointers rows = RowPointers::of(from);
  for (; blocks > 0; blocks -= span_blocks<F>, rows = rows.at(span_bytes<F>), ++to) {
    const int count = blocks < span_blocks<F> ? blocks : span_blocks<F>;
    F::head(rows, count, to->head);
    for (int block = 0; block < (F::weights == 256 ? 1 : count); ++block)
      F::codes(rows.at(block * F::bytes), [&](int group, const Bytes* quad) QN_FORCE_LAMBDA {
        QN_UNROLL for (int i = 0; i < quads; ++i) store_bytes(to->quad[(group + block) * quads + i], quad[i]);
      });
  }
}

template <class F>
constexpr Reader reader_of() {
  using S = typename F::Shape;
  return {F::gguf_type, {S::block_weights, S::group, S::has_min, F::wide_codes, F::bias}, direct<F>, unpack<F>};
}

#undef QN_TOKENS
#undef QN_PANELS

}  // namespace
}  // namespace qn::cpu
