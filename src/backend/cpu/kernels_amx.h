// Products of unpacked spans with sixteen tokens at once, on tiles. Everything else of this instruction set is AVX-512's.
//
// The quads of a group are what a tile of weights is: a row for four columns, sixteen lanes of four bytes. The activations lie as a tile
// wants them too: a row for a token. One instruction then gives the group's integer products of 16 tokens and 16 rows, and the scales are
// applied as everywhere else.
//
// Tiles is the instruction set: Amx in kernels_amx.cpp, or its words in plain C++, which the tests run where no processor has AMX.
#pragma once

#include "backend/cpu/span_math.h"

namespace qn::cpu {
namespace {

constexpr int tile_tokens = 16;

struct alignas(64) TileSums {
  std::int32_t of[tile_tokens][panel_rows];
};

template <class Tiles, class S>
void tile_spans(const SpansJob& job, const Span* panel, int token, int count, float* sums) {
  constexpr int quads = S::group / 4;
  constexpr int span_blocks = span_weights / S::block_weights;
  Tiles::configure(count, S::group);
  Floats acc[tile_tokens];
  for (int t = 0; t < count; ++t) acc[t] = job.first ? set(0.0f) : load(sums + 2 * t * panel_rows);

  for (int index = 0; index < job.spans; ++index) {
    const Span& span = panel[index];
    const int left = job.blocks - index * span_blocks;
    const int groups = S::block_weights == 256 ? span_weights / S::group : left < span_blocks ? left : span_blocks;
    TileSums total{};
    for (int group = 0; group < groups; ++group) {
      const int column = job.first_column + index * span_weights + group * S::group;
      TileSums part;
      Tiles::dot(job.x.code + std::ptrdiff_t{token} * job.x.columns + column, job.x.columns, span.quad[group * quads], count, S::group,
                 part);
      const std::int32_t* start = job.x.start + (std::ptrdiff_t{token} * job.x.columns + column) / S::group;
      const std::ptrdiff_t starts = job.x.columns / S::group;
      if constexpr (S::block_weights == 256) {
        const Ints scale = load_ints(span.head.scale[group]);
        for (int t = 0; t < count; ++t) {
          const Ints product = mul(add(load_ints(part.of[t]), set(start[t * starts])), scale);
          store_ints(total.of[t], add(load_ints(total.of[t]), product));
        }
      } else {
        const Floats d = load(span.head.d[group]);
        const float* scale = job.x.scale + std::ptrdiff_t{token} * starts + column / S::group;
        const std::int16_t* sum = job.x.sum_32 + std::ptrdiff_t{token} * starts + column / S::group;
        for (int t = 0; t < count; ++t) {
          acc[t] = add_scaled(acc[t], d, scale[t * starts], add(load_ints(part.of[t]), set(start[t * starts])));
          if constexpr (S::has_min)
            acc[t] = subtract_scaled(acc[t], load(span.head.dmin[group]), scale[t * starts], set(std::int32_t{sum[t * starts]}));
        }
      }
    }
    if constexpr (S::block_weights == 256) {
      const int block = job.first_column / 256 + index;
      for (int t = 0; t < count; ++t) {
        const std::ptrdiff_t at = std::ptrdiff_t{token + t} * (job.x.columns / 256) + block;
        acc[t] = add_scaled(acc[t], load(span.head.d[0]), job.x.scale[at], load_ints(total.of[t]));
        if constexpr (S::has_min)
          acc[t] = subtract_scaled(acc[t], load(span.head.dmin[0]), job.x.scale[at],
                                   sum_of_minima<S>(span.head, job.x.sum_16 + at * 16, job.x.sum_32 + at * 8));
      }
    }
  }
  for (int t = 0; t < count; ++t) store(sums + 2 * t * panel_rows, acc[t]);
}

template <class Tiles, class S>
void tile_spans_of(const SpansJob& job) {
  const int tiles = (job.tokens + tile_tokens - 1) / tile_tokens;
  Ahead ahead(job.ahead, job.ahead_rows, job.ahead_bytes, tiles);
  for (int first = 0; first < job.tokens; first += tile_tokens) {
    ahead.step();
    const int count = job.tokens - first < tile_tokens ? job.tokens - first : tile_tokens;
    for (int p = 0; p < 2 && job.panel[p] != nullptr; ++p)
      tile_spans<Tiles, S>(job, job.panel[p], job.first_token + first, count, job.sums + (2 * first + p) * panel_rows);
  }
  Tiles::release();
}

template <class Tiles>
void tile_spans_by_shape(const SpanShape& shape, const SpansJob& job) {
  if (shape.block_weights == 32) {
    if (shape.has_min) return tile_spans_of<Tiles, ShapeOf<32, 32, true, false>>(job);
    return tile_spans_of<Tiles, ShapeOf<32, 32, false, false>>(job);
  }
  if (shape.group == 32) {
    if (shape.has_min) return tile_spans_of<Tiles, ShapeOf<256, 32, true, false>>(job);
    return tile_spans_of<Tiles, ShapeOf<256, 32, false, false>>(job);
  }
  if (shape.has_min) return tile_spans_of<Tiles, ShapeOf<256, 16, true, false>>(job);
  tile_spans_of<Tiles, ShapeOf<256, 16, false, false>>(job);
}

}  // namespace
}  // namespace qn::cpu
