// Products of unpacked spans with any number of tokens, and the activations' way to int8. Included once by each kernels_<isa>.cpp.
// Integers are exact modulo 2^32 and the final ones fit, so how they are summed is free; the one fma for each block is not.
#pragma once

#include "backend/cpu/span_math.h"
#include "quant/half.h"

namespace qn::cpu {
namespace {

#define QN_TOKENS(t) QN_UNROLL for (int t = 0; t < tokens; ++t)
#define QN_PANELS(p) QN_UNROLL for (int p = 0; p < panels; ++p)

// What a tile of tokens needs of the activations.
template <int tokens>
struct Tile {
  const std::int8_t* code[tokens];
  const float* scale[tokens];
  const std::int16_t* sum_16[tokens];
  const std::int16_t* sum_32[tokens];
  const std::int32_t* start[tokens];
};

template <int tokens>
QN_FORCE_INLINE Tile<tokens> tile_of(const QuantizedRows& x, int token, int column, int group) {
  Tile<tokens> tile;
  QN_TOKENS(t) {
    const std::ptrdiff_t at = std::ptrdiff_t{token + t} * x.columns + column;
    tile.code[t] = x.code + at;
    tile.scale[t] = x.scale + at / x.block_weights;
    tile.sum_16[t] = x.sum_16 + at / 16;
    tile.sum_32[t] = x.sum_32 + at / 32;
    tile.start[t] = x.start + at / group;
  }
  return tile;
}

template <bool is_signed>
QN_FORCE_INLINE Ints dot(Ints acc, Bytes codes, Quad x) {
  if constexpr (is_signed) return dot4_signed(acc, codes, x);
  return dot4(acc, codes, x);
}

// A step for every group.
template <class S>
constexpr int steps_of_span = span_weights / S::group;

// One span of `panels` panels against a tile of tokens.
template <class S, int panels, int tokens>
QN_FORCE_INLINE void add_span(const Span* const (&span)[panels], int blocks, const Tile<tokens>& x, int index,
                              Floats (&acc)[panels][tokens], Ahead& ahead) {
  constexpr int quads = S::group / 4;
  const int first_group = index * (span_weights / S::group);
  const int groups = S::block_weights == 32 ? blocks : span_weights / S::group;
  Ints total[panels][tokens];
  if constexpr (S::block_weights == 256) QN_PANELS(p) QN_TOKENS(t) total[p][t] = zero();
  for (int group = 0; group < groups; ++group) {
    ahead.step();
    Ints part[panels][tokens];
    QN_TOKENS(t) {
      const Ints start = set(x.start[t][first_group + group]);
      QN_PANELS(p) part[p][t] = start;
    }
    QN_UNROLL for (int i = 0; i < quads; ++i) {
      Bytes codes[panels];
      QN_PANELS(p) codes[p] = load_bytes(span[p]->quad[group * quads + i]);
      QN_TOKENS(t) {
        const Quad quad = load_quad(x.code[t] + index * span_weights + group * S::group + i * 4);
        QN_PANELS(p) part[p][t] = dot<S::is_signed>(part[p][t], codes[p], quad);
      }
    }
    if constexpr (S::block_weights == 256) {
      QN_PANELS(p) {
        const Ints scale = load_ints(span[p]->head.scale[group]);
        QN_TOKENS(t) total[p][t] = add(total[p][t], mul(part[p][t], scale));
      }
    } else {
      QN_PANELS(p) {
        const SpanHead& head = span[p]->head;
        QN_TOKENS(t) {
          acc[p][t] = add_scaled(acc[p][t], load(head.d[group]), x.scale[t][first_group + group], part[p][t]);
          if constexpr (S::has_min)
            acc[p][t] = subtract_scaled(acc[p][t], load(head.dmin[group]), x.scale[t][first_group + group],
                                        set(std::int32_t{x.sum_32[t][first_group + group]}));
        }
      }
    }
  }
  if constexpr (S::block_weights == 256) {
    QN_PANELS(p) {
      const SpanHead& head = span[p]->head;
      QN_TOKENS(t) {
        acc[p][t] = add_scaled(acc[p][t], load(head.d[0]), x.scale[t][index], total[p][t]);
        if constexpr (S::has_min)
          acc[p][t] = subtract_scaled(acc[p][t], load(head.dmin[0]), x.scale[t][index],
                                      sum_of_minima<S>(head, x.sum_16[t] + index * 16, x.sum_32[t] + index * 8));
      }
    }
  }
}

template <class S, int panels, int tokens>
void spans_tile(const SpansJob& job, int token, Ahead& ahead) {
  const Tile<tokens> x = tile_of<tokens>(job.x, token, job.first_column, S::group);
  float* sums = job.sums + std::ptrdiff_t{token - job.first_token} * 2 * panel_rows;
  Floats acc[panels][tokens];
  QN_PANELS(p) QN_TOKENS(t) acc[p][t] = job.first ? set(0.0f) : load(sums + (2 * t + p) * panel_rows);
  constexpr int span_blocks = span_weights / S::block_weights;
  for (int i = 0; i < job.spans; ++i) {
    const Span* span[panels];
    QN_PANELS(p) span[p] = job.panel[p] + i;
    const int left = job.blocks - i * span_blocks;
    add_span<S, panels, tokens>(span, left < span_blocks ? left : span_blocks, x, i, acc, ahead);
  }
  QN_PANELS(p) QN_TOKENS(t) store(sums + (2 * t + p) * panel_rows, acc[p][t]);
}

// Tiles of about the same size: a small remainder would use the weights badly.
template <class S, int panels>
void spans_as(const SpansJob& job) {
  int tiles = (job.tokens + token_tile - 1) / token_tile;
  Ahead ahead(job.ahead, job.ahead_rows, job.ahead_bytes, tiles * job.spans * steps_of_span<S>);
  const int end = job.first_token + job.tokens;
  for (int token = job.first_token, size = 0; token < end; token += size, --tiles) {
    size = (end - token + tiles - 1) / tiles;
    switch (size) {
      case 1: spans_tile<S, panels, 1>(job, token, ahead); break;
      case 2: spans_tile<S, panels, 2>(job, token, ahead); break;
      case 3: spans_tile < S, panels, token_tile<3 ? 1 : 3>(job, token, ahead); break;
      case 4: spans_tile < S, panels, token_tile<4 ? 1 : 4>(job, token, ahead); break;
      case 5: spans_tile < S, panels, token_tile<5 ? 1 : 5>(job, token, ahead); break;
      default: spans_tile<S, panels, token_tile>(job, token, ahead); break;
    }
  }
}

template <class S>
void spans_of(const SpansJob& job) {
  if constexpr (panel_tile == 2) {
    if (job.panel[1] != nullptr) return spans_as<S, 2>(job);
    return spans_as<S, 1>(job);
  }
  SpansJob one = job;
  spans_as<S, 1>(one);
  if (job.panel[1] == nullptr) return;
  one.panel[0] = job.panel[1];
  one.sums = job.sums + panel_rows;
  spans_as<S, 1>(one);
}

template <int block, int group, bool has_min>
void spans_signed_or_not(bool is_signed, const SpansJob& job) {
  if (signed_is_different && is_signed) return spans_of<ShapeOf<block, group, has_min, signed_is_different>>(job);
  spans_of<ShapeOf<block, group, has_min, false>>(job);
}

void spans(const SpanShape& shape, const SpansJob& job) {
  if (shape.block_weights == 32) {
    if (shape.has_min) return spans_signed_or_not<32, 32, true>(shape.is_signed, job);
    return spans_signed_or_not<32, 32, false>(shape.is_signed, job);
  }
  if (shape.group == 32) {
    if (shape.has_min) return spans_of<ShapeOf<256, 32, true, false>>(job);
    return spans_signed_or_not<256, 32, false>(shape.is_signed, job);
  }
  if (shape.has_min) return spans_signed_or_not<256, 16, true>(shape.is_signed, job);
  spans_signed_or_not<256, 16, false>(shape.is_signed, job);
}

void write(const float* sums, const Outputs& out, int token) {
  write_outputs(out, token, load(sums));
}

// See backend/ref/activation.h.
void quantize(const float* x, int columns, int block_weights, std::int8_t* code, float* scale, std::int16_t* sum_16, std::int16_t* sum_32) {
  for (int begin = 0; begin < columns; begin += block_weights) {
    const std::uint32_t largest_bits = largest_magnitude(x + begin, block_weights);
    const float largest = quant::float_of(largest_bits);
    float d = 0, inverse = 0;
    if (largest_bits >= 0x7f800000u) {
      d = __builtin_nanf("");
    } else if (largest >= 0x1p-100f) {
      d = largest / 127.0f;
      inverse = 127.0f / largest;
    }
    *scale++ = d;
    for (int k = begin; k < begin + block_weights; k += 32) {
      int low = 0, high = 0;
      if (inverse != 0) {
        low = store_codes(code + k, x + k, inverse);
        high = store_codes(code + k + 16, x + k + 16, inverse);
      } else {
        std::memset(code + k, 0, 32);
      }
      sum_16[k / 16] = static_cast<std::int16_t>(low);
      sum_16[k / 16 + 1] = static_cast<std::int16_t>(high);
      sum_32[k / 32] = static_cast<std::int16_t>(low + high);
    }
  }
}

}  // namespace
}  // namespace qn::cpu
