// A span: up to 256 consecutive columns of 16 rows of a quantized matrix, unpacked so that a vector lane is a row. Weights stay in memory
// as they lie in the file; a kernel unpacks a span in registers and uses it at once (few tokens), or unpacks some spans into the cache
// and uses them for all tokens (many). There is no other copy of a matrix.
//
//   quad    four weights of one row, columns k .. k+3, one byte each; 16 rows' quads make a vector of 64 bytes, row r in [4r, 4r + 4)
//   group   the columns that share a scale: 16 or 32
//   pair    two 16-bit integers of one row, of groups 2p and 2p + 1; 16 rows' pairs make a vector, row after row
#pragma once

#include <cstddef>
#include <cstdint>

namespace qn::cpu {

inline constexpr int panel_rows = 16;
inline constexpr int span_weights = 256;

// Sixteen rows of a matrix as they lie in the file, from some block on.
struct Rows {
  const std::byte* first = nullptr;
  std::size_t stride = 0;  // bytes from one row to the next

  const std::byte* row(int r) const { return first + static_cast<std::size_t>(r) * stride; }
  Rows at(std::size_t bytes) const { return {first + bytes, stride}; }
};

// What is not codes. A format of blocks of 32 has up to 8 blocks in a span, each with its d (and dmin), and no scales.
struct alignas(64) SpanHead {
  float d[8][panel_rows];                   // [block][row]
  float dmin[8][panel_rows];                // where the format has minima
  std::int32_t scale[16][panel_rows];       // [group][row]
  std::int16_t min_pair[8][panel_rows][2];  // [pair of groups][row]
};

struct alignas(64) Span {
  SpanHead head;
  std::uint8_t quad[span_weights / 4][4 * panel_rows];
};

// How the spans of a format are to be multiplied:   code = byte - bias, or the signed byte itself where is_signed and the bias is 0
struct SpanShape {
  int block_weights = 0;  // 32 or 256
  int group = 0;          // 16 or 32; 32 for blocks of 32
  bool has_min = false;
  bool is_signed = false;  // codes take all eight bits: KernelTable::signed_bias says how they are kept
  int bias = 0;

  int span_blocks() const { return span_weights / block_weights; }
};

}  // namespace qn::cpu
