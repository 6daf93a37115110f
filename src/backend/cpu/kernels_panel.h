// Products of quantized weights: a panel of 16 rows with any number of tokens. Included once by each kernels_<isa>.cpp.
// Integers are exact modulo 2^32 and the final ones fit, so how they are summed is free; the one fma for each block is not.
#pragma once

#include "backend/cpu/kernels.h"
#include "quant/half.h"

namespace qn::cpu {
namespace {

// What a tile of tokens needs of the activations.
template <int tokens>
struct Tile {
  const std::int8_t* code[tokens];
  const float* scale[tokens];
  const std::int16_t* sum_16[tokens];
  const std::int16_t* sum_32[tokens];
  bool has_min;  // for the wide layouts, which serve formats of both kinds
};

// The stream of weights is fetched this far ahead of the arithmetic: two blocks of Q4_K. One thread of a Zen 5 EPYC reads 21 GB/s
// without and 39 with it.
constexpr int prefetch_bytes = 4736;

QN_FORCE_INLINE Bytes load_ahead(const std::byte* p) {
  __builtin_prefetch(p + prefetch_bytes);
  return load_bytes(p);
}

#define QN_TOKENS(t) QN_UNROLL for (int t = 0; t < tokens; ++t)

template <int tokens>
QN_FORCE_INLINE void clear(Ints (&sums)[tokens]) {
  QN_TOKENS(t) sums[t] = zero();
}

// acc += (d * dx) * total, rounded as ref does
template <int tokens>
QN_FORCE_INLINE void add_block(Floats (&acc)[tokens], Floats d, const Tile<tokens>& x, int block, const Ints (&total)[tokens]) {
  QN_TOKENS(t) acc[t] = fma(mul(d, set(x.scale[t][block])), to_floats(total[t]), acc[t]);
}
template <int tokens>
QN_FORCE_INLINE void subtract_minimum(Floats (&acc)[tokens], Floats dmin, const Tile<tokens>& x, int block, const Ints (&sums)[tokens]) {
  QN_TOKENS(t) acc[t] = fma_negated(mul(dmin, set(x.scale[t][block])), to_floats(sums[t]), acc[t]);
}

// Eight scales and minima for 256 weights: Q4_K and Q5_K. L says where the codes of 32 weights come from.
template <int tokens, class L, class DotGroup>
QN_FORCE_INLINE void k_block(const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens], DotGroup dot_group) {
  Ints total[tokens], minimum[tokens];
  clear(total);
  clear(minimum);
  for (int group = 0; group < 8; ++group) {
    Ints part[tokens];
    clear(part);
    dot_group(p, group, block * 256 + group * 32, part);
    const Ints scale = load_u8(p + L::scales + group * 16);
    QN_TOKENS(t) total[t] = add(total[t], mul(part[t], scale));
  }
  for (int pair = 0; pair < 4; ++pair) {
    const Ints mins = load_pairs_u8(p + L::mins + pair * 32);
    QN_TOKENS(t) minimum[t] = dot2(minimum[t], mins, x.sum_32[t] + block * 8 + pair * 2);
  }
  add_block(acc, load_f16(p + L::d), x, block, total);
  subtract_minimum(acc, load_f16(p + L::dmin), x, block, minimum);
}

template <int tokens>
QN_FORCE_INLINE void block_of(NibblesK, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  QN_UNROLL for (int i = 0; i < NibblesK::codes; i += 64) __builtin_prefetch(p + prefetch_bytes + i);
  k_block<tokens, NibblesK>(p, block, x, acc, [&](const std::byte* at, int group, int k, Ints(&part)[tokens]) QN_FORCE_LAMBDA {
    QN_UNROLL for (int v = 0; v < 4; ++v) {
      const Bytes both = load_ahead(at + NibblesK::codes + (group * 4 + v) * 64);
      const Bytes low = low_nibbles(both), high = high_nibbles(both);
      QN_TOKENS(t) part[t] = dot4(part[t], low, x.code[t] + k + v * 8);
      QN_TOKENS(t) part[t] = dot4(part[t], high, x.code[t] + k + v * 8 + 4);
    }
  });
}

template <int tokens>
QN_FORCE_INLINE void block_of(FivesK, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  QN_UNROLL for (int i = 0; i < FivesK::codes; i += 64) __builtin_prefetch(p + prefetch_bytes + i);
  k_block<tokens, FivesK>(p, block, x, acc, [&](const std::byte* at, int group, int k, Ints(&part)[tokens]) QN_FORCE_LAMBDA {
    const std::byte* codes = at + FivesK::codes + group * 5 * 64;
    const Bytes fifth = load_ahead(codes);
    const Bytes v0 = load_ahead(codes + 64), v1 = load_ahead(codes + 128), v2 = load_ahead(codes + 192), v3 = load_ahead(codes + 256);
    const Bytes quad[8] = {join_bit<0>(low_nibbles(v0), fifth),  join_bit<1>(high_nibbles(v0), fifth), join_bit<2>(low_nibbles(v1), fifth),
                           join_bit<3>(high_nibbles(v1), fifth), join_bit<4>(low_nibbles(v2), fifth),  join_bit<5>(high_nibbles(v2), fifth),
                           join_bit<6>(low_nibbles(v3), fifth),  join_bit<7>(high_nibbles(v3), fifth)};
    QN_UNROLL for (int i = 0; i < 8; ++i) QN_TOKENS(t) part[t] = dot4(part[t], quad[i], x.code[t] + k + i * 4);
  });
}

// total += scale * products of 16 weights
template <int tokens>
QN_FORCE_INLINE void dot_group(const Bytes* quads, int k, const Tile<tokens>& x, Ints scale, Ints (&total)[tokens]) {
  Ints part[tokens];
  clear(part);
  QN_UNROLL for (int i = 0; i < 4; ++i) QN_TOKENS(t) part[t] = dot4(part[t], quads[i], x.code[t] + k + i * 4);
  QN_TOKENS(t) total[t] = add(total[t], mul(part[t], scale));
}

template <int tokens>
QN_FORCE_INLINE void sixes_group(const std::byte* codes, int k, const Tile<tokens>& x, Ints scale, Ints (&total)[tokens]) {
  const Bytes upper = load_ahead(codes), v0 = load_ahead(codes + 64), v1 = load_ahead(codes + 128);
  const Bytes quad[4] = {join_two_bits<0>(low_nibbles(v0), upper), join_two_bits<1>(high_nibbles(v0), upper),
                         join_two_bits<2>(low_nibbles(v1), upper), join_two_bits<3>(high_nibbles(v1), upper)};
  dot_group(quad, k, x, scale, total);
}

template <int tokens>
QN_FORCE_INLINE void block_of(SixesK, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  QN_UNROLL for (int i = 0; i < SixesK::codes; i += 64) __builtin_prefetch(p + prefetch_bytes + i);
  Ints total[tokens], offset[tokens];
  clear(total);
  clear(offset);
  for (int pair = 0; pair < 8; ++pair) {
    const Ints scales = load_pairs_s8(p + SixesK::scales + pair * 32);
    QN_TOKENS(t) offset[t] = dot2(offset[t], scales, x.sum_16[t] + block * 16 + pair * 2);
    const std::byte* codes = p + SixesK::codes + pair * 2 * 192;
    sixes_group(codes, block * 256 + pair * 32, x, first_of_pair(scales), total);
    sixes_group(codes + 192, block * 256 + pair * 32 + 16, x, second_of_pair(scales), total);
  }
  QN_TOKENS(t) total[t] = sub(total[t], shift_left<5>(offset[t]));
  add_block(acc, load_f16(p + SixesK::d), x, block, total);
}

template <int tokens, int code_bits, bool has_minimum>
QN_FORCE_INLINE void block_of(Small32<code_bits, has_minimum>, const std::byte* p, int block, const Tile<tokens>& x,
                              Floats (&acc)[tokens]) {
  using L = Small32<code_bits, has_minimum>;
  const std::byte* codes = p + L::codes;
  const Bytes v0 = load_ahead(codes), v1 = load_ahead(codes + 64), v2 = load_ahead(codes + 128), v3 = load_ahead(codes + 192);
  Bytes quad[8] = {low_nibbles(v0), high_nibbles(v0), low_nibbles(v1), high_nibbles(v1),
                   low_nibbles(v2), high_nibbles(v2), low_nibbles(v3), high_nibbles(v3)};
  if constexpr (L::fives) {
    const Bytes fifth = load_ahead(p + L::fifths);
    quad[0] = join_bit<0>(quad[0], fifth);
    quad[1] = join_bit<1>(quad[1], fifth);
    quad[2] = join_bit<2>(quad[2], fifth);
    quad[3] = join_bit<3>(quad[3], fifth);
    quad[4] = join_bit<4>(quad[4], fifth);
    quad[5] = join_bit<5>(quad[5], fifth);
    quad[6] = join_bit<6>(quad[6], fifth);
    quad[7] = join_bit<7>(quad[7], fifth);
  }
  Ints total[tokens];
  QN_TOKENS(t) total[t] = set(-L::bias * x.sum_32[t][block]);
  QN_UNROLL for (int i = 0; i < 8; ++i) QN_TOKENS(t) total[t] = dot4(total[t], quad[i], x.code[t] + block * 32 + i * 4);
  add_block(acc, load_f16(p + L::d), x, block, total);
  if constexpr (L::has_min) {
    Ints sums[tokens];
    QN_TOKENS(t) sums[t] = set(std::int32_t{x.sum_32[t][block]});
    subtract_minimum(acc, load_f16(p + L::dmin), x, block, sums);
  }
}

template <int tokens>
QN_FORCE_INLINE void block_of(Bytes32, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  Ints total[tokens];
  QN_TOKENS(t) total[t] = set(-biased_by * x.sum_32[t][block]);
  QN_UNROLL for (int v = 0; v < 8; ++v) {
    const Bytes codes = load_ahead(p + Bytes32::codes + v * 64);
    QN_TOKENS(t) total[t] = dot4_biased(total[t], codes, x.code[t] + block * 32 + v * 4);
  }
  add_block(acc, load_f16(p + Bytes32::d), x, block, total);
}

template <int tokens>
QN_FORCE_INLINE void block_of(ThreesK, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  QN_UNROLL for (int i = 0; i < ThreesK::codes; i += 64) __builtin_prefetch(p + prefetch_bytes + i);
  Ints total[tokens], offset[tokens];
  clear(total);
  clear(offset);
  for (int pair = 0; pair < 8; ++pair) {
    const Ints scales = load_pairs_s8(p + ThreesK::scales + pair * 32);
    QN_TOKENS(t) offset[t] = dot2(offset[t], scales, x.sum_16[t] + block * 16 + pair * 2);
    const std::byte* codes = p + ThreesK::codes + pair * 192;
    const Bytes third = load_ahead(codes), v0 = load_ahead(codes + 64), v1 = load_ahead(codes + 128);
    const Bytes quads[8] = {join_bit<0, 2>(two_bits<0>(v0), third), join_bit<1, 2>(two_bits<1>(v0), third),
                            join_bit<2, 2>(two_bits<2>(v0), third), join_bit<3, 2>(two_bits<3>(v0), third),
                            join_bit<4, 2>(two_bits<0>(v1), third), join_bit<5, 2>(two_bits<1>(v1), third),
                            join_bit<6, 2>(two_bits<2>(v1), third), join_bit<7, 2>(two_bits<3>(v1), third)};
    dot_group(quads, block * 256 + pair * 32, x, first_of_pair(scales), total);
    dot_group(quads + 4, block * 256 + pair * 32 + 16, x, second_of_pair(scales), total);
  }
  QN_TOKENS(t) total[t] = sub(total[t], shift_left<2>(offset[t]));
  add_block(acc, load_f16(p + ThreesK::d), x, block, total);
}

template <int tokens>
QN_FORCE_INLINE void block_of(TwosK, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  QN_UNROLL for (int i = 0; i < TwosK::codes; i += 64) __builtin_prefetch(p + prefetch_bytes + i);
  Ints total[tokens], minimum[tokens];
  clear(total);
  clear(minimum);
  for (int pair = 0; pair < 8; ++pair) {
    const Ints scales = load_pairs_u8(p + TwosK::scales + pair * 32), mins = load_pairs_u8(p + TwosK::mins + pair * 32);
    QN_TOKENS(t) minimum[t] = dot2(minimum[t], mins, x.sum_16[t] + block * 16 + pair * 2);
    const Bytes v0 = load_ahead(p + TwosK::codes + pair * 128), v1 = load_ahead(p + TwosK::codes + pair * 128 + 64);
    const Bytes quads[8] = {two_bits<0>(v0), two_bits<1>(v0), two_bits<2>(v0), two_bits<3>(v0),
                            two_bits<0>(v1), two_bits<1>(v1), two_bits<2>(v1), two_bits<3>(v1)};
    dot_group(quads, block * 256 + pair * 32, x, first_of_pair(scales), total);
    dot_group(quads + 4, block * 256 + pair * 32 + 16, x, second_of_pair(scales), total);
  }
  add_block(acc, load_f16(p + TwosK::d), x, block, total);
  subtract_minimum(acc, load_f16(p + TwosK::dmin), x, block, minimum);
}

struct BiasedSteps {
  std::uint8_t step[16];
};

template <class Table>
constexpr BiasedSteps biased_steps() {  // as dot4_biased takes codes
  BiasedSteps biased{};
  for (int i = 0; i < 16; ++i) biased.step[i] = static_cast<std::uint8_t>(Table::steps[i] + 128);
  return biased;
}

// total += products of the 8 codes for a row that lie in each of the four vectors at `codes`
template <class Table, int tokens>
QN_FORCE_INLINE void dot_steps(const std::byte* codes, int k, const Tile<tokens>& x, Ints (&total)[tokens]) {
  static constexpr BiasedSteps biased = biased_steps<Table>();
  QN_UNROLL for (int v = 0; v < 4; ++v) {
    const Bytes both = load_ahead(codes + v * 64);
    const Bytes low = look_up(low_nibbles(both), biased.step), high = look_up(high_nibbles(both), biased.step);
    QN_TOKENS(t) total[t] = dot4_biased(total[t], low, x.code[t] + k + v * 8);
    QN_TOKENS(t) total[t] = dot4_biased(total[t], high, x.code[t] + k + v * 8 + 4);
  }
}

template <int tokens, class Table>
QN_FORCE_INLINE void block_of(Steps32<Table>, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  using L = Steps32<Table>;
  Ints total[tokens];
  QN_TOKENS(t) total[t] = set(-biased_by * x.sum_32[t][block]);
  dot_steps<Table>(p + L::codes, block * 32, x, total);
  add_block(acc, load(reinterpret_cast<const float*>(p + L::d)), x, block, total);
}

template <int tokens>
QN_FORCE_INLINE void block_of(Iq4K, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  QN_UNROLL for (int i = 0; i < Iq4K::codes; i += 64) __builtin_prefetch(p + prefetch_bytes + i);
  Ints total[tokens], offset[tokens];
  clear(total);
  clear(offset);
  for (int pair = 0; pair < 4; ++pair) {
    const Ints scales = load_pairs_s8(p + Iq4K::scales + pair * 32);
    QN_TOKENS(t) offset[t] = dot2(offset[t], scales, x.sum_32[t] + block * 8 + pair * 2);
    QN_UNROLL for (int half = 0; half < 2; ++half) {
      const int group = pair * 2 + half;
      Ints part[tokens];
      clear(part);
      dot_steps<Iq4Steps>(p + Iq4K::codes + group * 256, block * 256 + group * 32, x, part);
      const Ints scale = half == 0 ? first_of_pair(scales) : second_of_pair(scales);
      QN_TOKENS(t) total[t] = add(total[t], mul(part[t], scale));
    }
  }
  QN_TOKENS(t) total[t] = sub(total[t], mul(offset[t], set(biased_by)));
  add_block(acc, load_f16(p + Iq4K::d), x, block, total);
}

template <int tokens, int weights>
QN_FORCE_INLINE void block_of(Wide<weights>, const std::byte* p, int block, const Tile<tokens>& x, Floats (&acc)[tokens]) {
  using L = Wide<weights>;
  Ints total[tokens], minimum[tokens], offset[tokens];
  clear(total);
  clear(minimum);
  clear(offset);
  for (int pair = 0; pair < L::pairs; ++pair) {
    const Ints scales = load_pairs_s16(p + L::scales + pair * 64), mins = load_pairs_s16(p + L::mins + pair * 64);
    QN_UNROLL for (int half = 0; half < 2; ++half) {
      Ints part[tokens];
      clear(part);
      QN_UNROLL for (int v = 0; v < 4; ++v) {
        const int quad = pair * 8 + half * 4 + v;
        const Bytes codes = load_bytes(p + L::codes + quad * 64);
        QN_TOKENS(t) part[t] = dot4_biased(part[t], codes, x.code[t] + block * weights + quad * 4);
      }
      const Ints scale = half == 0 ? first_of_pair(scales) : second_of_pair(scales);
      QN_TOKENS(t) total[t] = add(total[t], mul(part[t], scale));
    }
    const int group = (block * L::pairs + pair) * 2;
    QN_TOKENS(t) offset[t] = dot2(offset[t], scales, x.sum_16[t] + group);
    QN_TOKENS(t) minimum[t] = dot2(minimum[t], mins, x.sum_16[t] + group);
  }
  QN_TOKENS(t) total[t] = sub(total[t], mul(offset[t], set(biased_by)));
  add_block(acc, load(reinterpret_cast<const float*>(p + L::d)), x, block, total);
  if (x.has_min) subtract_minimum(acc, load(reinterpret_cast<const float*>(p + L::dmin)), x, block, minimum);
}

template <class L, int tokens>
void panel_tile(const PanelJob& job, int token) {
  Tile<tokens> x;
  x.has_min = job.has_min;
  QN_TOKENS(t) {
    const std::ptrdiff_t columns = job.x.columns, row = token + t;
    x.code[t] = job.x.code + row * columns;
    x.scale[t] = job.x.scale + row * (columns / L::weights);
    x.sum_16[t] = job.x.sum_16 + row * (columns / 16);
    x.sum_32[t] = job.x.sum_32 + row * (columns / 32);
  }
  Floats acc[tokens];
  QN_TOKENS(t) acc[t] = set(0.0f);
  const std::byte* p = job.panel;
  for (int block = 0; block < job.blocks; ++block, p += L::bytes) block_of(L{}, p, block, x, acc);
  QN_TOKENS(t) write_outputs(job.out, token + t, acc[t]);
}

#undef QN_TOKENS

// No remainder token by token: what is left over is one tile of its own size.
template <class L>
void panel_as(const PanelJob& job) {
  int token = job.first_token;
  const int end = job.first_token + job.tokens;
  while (token < end) {
    const int left = end - token;
    if (left >= token_tile) {
      panel_tile<L, token_tile>(job, token);
      token += token_tile;
      continue;
    }
    switch (left) {
      case 1: panel_tile<L, 1>(job, token); break;
      case 2: panel_tile<L, 2>(job, token); break;
      case 3: panel_tile<L, 3>(job, token); break;
      case 4: panel_tile<L, 4>(job, token); break;
      default: panel_tile<L, 5>(job, token); break;
    }
    return;
  }
}

void panel(Layout layout, const PanelJob& job) {
  switch (layout) {
    case Layout::nibbles_32: return panel_as<Nibbles32>(job);
    case Layout::nibbles_min_32: return panel_as<NibblesMin32>(job);
    case Layout::fives_32: return panel_as<Fives32>(job);
    case Layout::fives_min_32: return panel_as<FivesMin32>(job);
    case Layout::bytes_32: return panel_as<Bytes32>(job);
    case Layout::nibbles_k: return panel_as<NibblesK>(job);
    case Layout::fives_k: return panel_as<FivesK>(job);
    case Layout::sixes_k: return panel_as<SixesK>(job);
    case Layout::threes_k: return panel_as<ThreesK>(job);
    case Layout::twos_k: return panel_as<TwosK>(job);
    case Layout::iq4_32: return panel_as<Steps32<Iq4Steps>>(job);
    case Layout::mx4_32: return panel_as<Steps32<Mx4Steps>>(job);
    case Layout::iq4_k: return panel_as<Iq4K>(job);
    case Layout::wide_32: return panel_as<Wide<32>>(job);
    case Layout::wide_256: return panel_as<Wide<256>>(job);
    case Layout::none:
    case Layout::f32:
    case Layout::f16:
    case Layout::bf16: return;
  }
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
