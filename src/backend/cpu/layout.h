// How matrices lie in the memory of the cpu backend: panels of 16 rows, each panel one block after another, rows interleaved so that a
// vector lane is a row. There are no shuffles and no sums across lanes, and a product reads its weights as one stream.
//
// "quad"   four weights of one row, k .. k+3, one byte each; 16 rows' quads make a vector of 64 bytes, row r in bytes [4r, 4r + 4).
// "pair"   two bytes (or 16-bit integers) of one row; 16 rows' pairs, row after row.
// The layout of a block holds what quant::IntBlock holds and nothing else: packing loses nothing.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/iq4_steps.h"
#include "quant/mxfp4.h"

namespace qn::cpu {

inline constexpr int panel_rows = 16;

enum class Layout {
  none,  // as in the file: unpacked when used, into wide_256 or wide_32
  f32,   // f32, f16, bf16: as in the file, plain rows
  f16,
  bf16,
  nibbles_32,  // one f16 scale for 32 codes of 4 bits: Q4_0; with a minimum, Q4_1
  nibbles_min_32,
  fives_32,  // the same with 5 bits: Q5_0, Q5_1
  fives_min_32,
  bytes_32,   // one f16 scale for 32 codes of 8 bits: Q8_0
  nibbles_k,  // 8 scales and minima of 6 bits, 256 codes of 4 bits: Q4_K
  fives_k,    // the same with 5 bits: Q5_K
  sixes_k,    // 16 signed scales, 256 codes of 6 bits: Q6_K
  threes_k,   // 16 signed scales, 256 codes of 3 bits: Q3_K
  twos_k,     // 16 scales and minima of 4 bits, 256 codes of 2 bits: Q2_K
  iq4_32,     // an f32 scale for 32 codes of 4 bits into a table of steps: IQ4_NL
  mx4_32,     // the same with another table: MXFP4
  iq4_k,      // 8 signed scales, 256 codes into a table: IQ4_XS
  wide_32,    // any format, scales and minima in full width; made in scratch memory
  wide_256,
};

// Byte offsets in a block of a panel, and its size. Each struct names the layout of one block of 16 rows.
template <int code_bits, bool has_minimum>
struct Small32 {
  static constexpr int weights = 32;
  static constexpr bool fives = code_bits == 5;
  static constexpr bool has_min = has_minimum;
  static constexpr int bias = has_min ? 0 : 1 << (code_bits - 1);  // what is added to a signed code
  static constexpr int d = 0;                                      // f16 [16]
  static constexpr int dmin = 32;                                  // f16 [16], where there is a minimum
  static constexpr int fifths = has_min ? 64 : 32;                 // 1 vector, where codes have 5 bits: bit i of a byte is quad i's
  static constexpr int codes = fifths + (fives ? 64 : 0);          // 4 vectors: quad 2v in the low, quad 2v + 1 in the high nibbles
  static constexpr int bytes = codes + 4 * 64;
};
using Nibbles32 = Small32<4, false>;
using NibblesMin32 = Small32<4, true>;
using Fives32 = Small32<5, false>;
using FivesMin32 = Small32<5, true>;

struct Bytes32 {
  static constexpr int weights = 32;
  static constexpr int d = 0;       // f16 [16]
  static constexpr int codes = 32;  // 8 vectors: quad v; code + 128
  static constexpr int bytes = codes + 8 * 64;
};

struct NibblesK {
  static constexpr int weights = 256;
  static constexpr int d = 0;        // f16 [16]
  static constexpr int dmin = 32;    // f16 [16]
  static constexpr int scales = 64;  // u8 [8][16], one for 32 weights
  static constexpr int mins = 192;   // u8 pairs [4][16][2], one for 32 weights
  static constexpr int codes = 320;  // 32 vectors: quad 2v in the low, quad 2v + 1 in the high nibbles
  static constexpr int bytes = codes + 32 * 64;
};

struct FivesK {
  static constexpr int weights = 256;
  static constexpr int d = 0, dmin = 32, scales = 64, mins = 192;  // as NibblesK
  static constexpr int codes = 320;  // for each 32 weights: a vector of fifth bits (bit i: quad i), then 4 vectors of nibbles
  static constexpr int bytes = codes + 8 * 5 * 64;
};

struct SixesK {
  static constexpr int weights = 256;
  static constexpr int d = 0;        // f16 [16]
  static constexpr int scales = 32;  // s8 pairs [8][16][2], one for 16 weights
  static constexpr int codes =
      288;  // for each 16 weights: a vector of upper two bits (bits 2i: quad i), then 2 vectors of nibbles; code + 32
  static constexpr int bytes = codes + 16 * 3 * 64;
};

struct ThreesK {
  static constexpr int weights = 256;
  static constexpr int d = 0;        // f16 [16]
  static constexpr int scales = 32;  // s8 pairs [8][16][2], one for 16 weights
  static constexpr int codes = 288;  // for each 32 weights: a vector of third bits (bit i: quad i), then 2 vectors of the lower bits, of 4
                                     // quads each (bits 2i: quad i); code + 4
  static constexpr int bytes = codes + 8 * 3 * 64;
};

struct TwosK {
  static constexpr int weights = 256;
  static constexpr int d = 0;        // f16 [16]
  static constexpr int dmin = 32;    // f16 [16]
  static constexpr int scales = 64;  // u8 pairs [8][16][2], one for 16 weights
  static constexpr int mins = 320;   // the same
  static constexpr int codes = 576;  // for each 16 weights a vector: bits 2i: quad i
  static constexpr int bytes = codes + 16 * 64;
};

// Codes that are indices into sixteen steps.
struct Iq4Steps {
  static constexpr const std::int8_t (&steps)[16] = quant::iq4_step;
};
struct Mx4Steps {
  static constexpr const std::int8_t (&steps)[16] = quant::MXFP4::doubled;
};

template <class StepTable>
struct Steps32 {
  using Table = StepTable;
  static constexpr int weights = 32;
  static constexpr int d = 0;       // f32 [16]: MXFP4's powers of two do not fit f16
  static constexpr int codes = 64;  // 4 vectors of indices: quad 2v in the low, quad 2v + 1 in the high nibbles
  static constexpr int bytes = codes + 4 * 64;
};

struct Iq4K {
  using Table = Iq4Steps;
  static constexpr int weights = 256;
  static constexpr int d = 0;        // f16 [16]
  static constexpr int scales = 32;  // s8 pairs [4][16][2], one for 32 weights
  static constexpr int codes = 160;  // 32 vectors of indices, as above
  static constexpr int bytes = codes + 32 * 64;
};

template <int block_weights>
struct Wide {
  static constexpr int weights = block_weights;
  static constexpr int pairs = block_weights / 32;
  static constexpr int d = 0;                       // f32 [16]
  static constexpr int dmin = 64;                   // f32 [16]
  static constexpr int scales = 128;                // s16 pairs [weights / 32][16][2], one for 16 weights
  static constexpr int mins = scales + pairs * 64;  // the same
  static constexpr int codes = mins + pairs * 64;   // weights / 4 vectors: quad v; code + 128
  static constexpr int bytes = codes + block_weights * 16;
};

}  // namespace qn::cpu
