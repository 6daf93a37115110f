#include "backend/cpu/pack.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "quant/half.h"

namespace qn::cpu {
namespace {

using quant::IntBlock;

struct FormatLayout {
  std::string_view format;
  Layout layout;
};

constexpr FormatLayout format_layouts[] = {
    {"F32", Layout::f32},
    {"F16", Layout::f16},
    {"BF16", Layout::bf16},
    {"Q4_0", Layout::nibbles_32},
    {"Q4_1", Layout::nibbles_min_32},
    {"Q5_0", Layout::fives_32},
    {"Q5_1", Layout::fives_min_32},
    {"Q8_0", Layout::bytes_32},
    {"Q4_K", Layout::nibbles_k},
    {"Q5_K", Layout::fives_k},
    {"Q6_K", Layout::sixes_k},
    {"Q3_K", Layout::threes_k},
    {"Q2_K", Layout::twos_k},
    {"IQ4_NL", Layout::iq4_32},
    {"MXFP4", Layout::mx4_32},
    {"IQ4_XS", Layout::iq4_k},
};

void put(std::byte* to, int value) {
  *to = static_cast<std::byte>(static_cast<unsigned>(value) & 0xffu);
}

void put_f16(std::byte* to, float value) {
  const std::uint16_t half = quant::f32_to_f16(value);
  std::memcpy(to, &half, sizeof half);
}

std::uint32_t quad_at(const std::int8_t* code) {
  std::uint32_t quad = 0;
  std::memcpy(&quad, code, 4);
  return quad;
}

void put_quad(std::byte* to, int row, std::uint32_t quad) {
  std::memcpy(to + row * 4, &quad, 4);
}

constexpr std::uint32_t each_byte(std::uint32_t value) {
  return value * 0x01010101u;
}

// A signed code's bias, added in two's complement: code + 16 is code ^ 16 in five bits.
std::uint32_t quad_at(const std::int8_t* code, int bias) {
  return quad_at(code) ^ each_byte(static_cast<std::uint32_t>(bias));
}

// 8 * vectors codes of a row as nibbles: of each eight, the first four low, the others high.
void put_nibbles(std::byte* vectors_at, int row, const std::int8_t* code, int vectors, int bias = 0) {
  for (int v = 0; v < vectors; ++v) {
    const std::uint32_t low = quad_at(code + v * 8, bias) & each_byte(15);
    const std::uint32_t high = quad_at(code + v * 8 + 4, bias) & each_byte(15);
    put_quad(vectors_at + v * 64, row, low | high << 4);
  }
}

// The fifth bits of 32 codes: bit i of a byte is that of quad i.
void put_fifths(std::byte* vector_at, int row, const std::int8_t* code, int bias = 0) {
  std::uint32_t fifths = 0;
  for (int i = 0; i < 8; ++i) fifths |= (quad_at(code + i * 4, bias) >> 4 & each_byte(1)) << i;
  put_quad(vector_at, row, fifths);
}

// Codes as bytes, 128 more than they are.
void put_bytes(std::byte* vectors_at, int row, const std::int8_t* code, int vectors) {
  for (int v = 0; v < vectors; ++v) put_quad(vectors_at + v * 64, row, quad_at(code + v * 4) ^ each_byte(128));
}

template <int code_bits, bool has_minimum>
void pack_row(Small32<code_bits, has_minimum>, const IntBlock& block, int row, std::byte* to) {
  using L = Small32<code_bits, has_minimum>;
  put_f16(to + L::d + 2 * row, block.d);
  if constexpr (L::has_min) put_f16(to + L::dmin + 2 * row, block.dmin);  // its minimum is 1 in every group
  if constexpr (L::fives) put_fifths(to + L::fifths, row, block.code, L::bias);
  put_nibbles(to + L::codes, row, block.code, 4, L::bias);
}

void pack_row(Bytes32, const IntBlock& block, int row, std::byte* to) {
  put_f16(to + Bytes32::d + 2 * row, block.d);
  put_bytes(to + Bytes32::codes, row, block.code, 8);
}

template <class L>
void pack_k_scales(const IntBlock& block, int row, std::byte* to) {
  put_f16(to + L::d + 2 * row, block.d);
  put_f16(to + L::dmin + 2 * row, block.dmin);
  for (int group = 0; group < 8; ++group) {
    put(to + L::scales + group * 16 + row, block.scale[2 * group]);
    put(to + L::mins + group / 2 * 32 + row * 2 + group % 2, block.min[2 * group]);
  }
}

void pack_row(NibblesK, const IntBlock& block, int row, std::byte* to) {
  pack_k_scales<NibblesK>(block, row, to);
  put_nibbles(to + NibblesK::codes, row, block.code, 32);
}

void pack_row(FivesK, const IntBlock& block, int row, std::byte* to) {
  pack_k_scales<FivesK>(block, row, to);
  for (int group = 0; group < 8; ++group) {
    const std::int8_t* code = block.code + group * 32;
    std::byte* at = to + FivesK::codes + group * 5 * 64;
    put_fifths(at, row, code);
    put_nibbles(at + 64, row, code, 4);
  }
}

void pack_row(SixesK, const IntBlock& block, int row, std::byte* to) {
  put_f16(to + SixesK::d + 2 * row, block.d);
  for (int group = 0; group < 16; ++group) {
    put(to + SixesK::scales + group / 2 * 32 + row * 2 + group % 2, block.scale[group]);
    const std::int8_t* code = block.code + group * 16;
    std::byte* at = to + SixesK::codes + group * 3 * 64;
    std::uint32_t upper = 0;  // of code + 32, which is code ^ 32 in six bits
    for (int i = 0; i < 4; ++i) upper |= (quad_at(code + i * 4, 32) >> 4 & each_byte(3)) << (2 * i);
    put_quad(at, row, upper);
    put_nibbles(at + 64, row, code, 2);
  }
}

// The lowest two bits of 16 codes: bits [2i, 2i + 2) of a byte are those of quad i.
void put_two_bits(std::byte* vector_at, int row, const std::int8_t* code, int bias) {
  std::uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) bits |= (quad_at(code + i * 4, bias) & each_byte(3)) << (2 * i);
  put_quad(vector_at, row, bits);
}

void pack_row(ThreesK, const IntBlock& block, int row, std::byte* to) {
  put_f16(to + ThreesK::d + 2 * row, block.d);
  for (int group = 0; group < 16; ++group) put(to + ThreesK::scales + group / 2 * 32 + row * 2 + group % 2, block.scale[group]);
  for (int pair = 0; pair < 8; ++pair) {
    const std::int8_t* code = block.code + pair * 32;
    std::byte* at = to + ThreesK::codes + pair * 192;
    std::uint32_t thirds = 0;
    for (int i = 0; i < 8; ++i) thirds |= (quad_at(code + i * 4, 4) >> 2 & each_byte(1)) << i;
    put_quad(at, row, thirds);
    put_two_bits(at + 64, row, code, 4);
    put_two_bits(at + 128, row, code + 16, 4);
  }
}

void pack_row(TwosK, const IntBlock& block, int row, std::byte* to) {
  put_f16(to + TwosK::d + 2 * row, block.d);
  put_f16(to + TwosK::dmin + 2 * row, block.dmin);
  for (int group = 0; group < 16; ++group) {
    put(to + TwosK::scales + group / 2 * 32 + row * 2 + group % 2, block.scale[group]);
    put(to + TwosK::mins + group / 2 * 32 + row * 2 + group % 2, block.min[group]);
    put_two_bits(to + TwosK::codes + group * 64, row, block.code + group * 16, 0);
  }
}

// The index of each step, by the step's low byte; of equal steps, any.
template <class Table>
constexpr std::array<std::int8_t, 256> index_of_step() {
  std::array<std::int8_t, 256> index{};
  for (int i = 0; i < 16; ++i) index[static_cast<std::uint8_t>(Table::steps[i])] = static_cast<std::int8_t>(i);
  return index;
}

template <class Table, int weights>
void put_steps(std::byte* vectors_at, int row, const std::int8_t* code) {
  static constexpr std::array<std::int8_t, 256> index_of = index_of_step<Table>();
  std::int8_t index[weights];
  for (int i = 0; i < weights; ++i) index[i] = index_of[static_cast<std::uint8_t>(code[i])];
  put_nibbles(vectors_at, row, index, weights / 8);
}

template <class Table>
void pack_row(Steps32<Table>, const IntBlock& block, int row, std::byte* to) {
  using L = Steps32<Table>;
  std::memcpy(to + L::d + 4 * row, &block.d, 4);
  put_steps<Table, 32>(to + L::codes, row, block.code);
}

void pack_row(Iq4K, const IntBlock& block, int row, std::byte* to) {
  put_f16(to + Iq4K::d + 2 * row, block.d);
  for (int group = 0; group < 8; ++group) put(to + Iq4K::scales + group / 2 * 32 + row * 2 + group % 2, block.scale[2 * group]);
  put_steps<Iq4Steps, 256>(to + Iq4K::codes, row, block.code);
}

template <int weights>
void pack_row(Wide<weights>, const IntBlock& block, int row, std::byte* to) {
  using L = Wide<weights>;
  std::memcpy(to + L::d + 4 * row, &block.d, 4);
  std::memcpy(to + L::dmin + 4 * row, &block.dmin, 4);
  for (int pair = 0; pair < L::pairs; ++pair) {
    std::memcpy(to + L::scales + pair * 64 + row * 4, block.scale + pair * 2, 4);
    std::memcpy(to + L::mins + pair * 64 + row * 4, block.min + pair * 2, 4);
  }
  put_bytes(to + L::codes, row, block.code, weights / 4);
}

template <class L>
void pack_blocks(const quant::EncodedTensor& tensor, std::int64_t first_row, std::byte* to) {
  const quant::Format& format = *tensor.format;
  QN_CHECK(format.block_weights == L::weights, "a layout has its format's block");
  const std::size_t row_bytes = format.row_bytes(tensor.columns);
  const std::size_t blocks = static_cast<std::size_t>(tensor.columns / L::weights);
  const int rows = static_cast<int>(std::min<std::int64_t>(panel_rows, tensor.rows - first_row));
  if (rows < panel_rows) std::memset(to, 0, blocks * L::bytes);
  IntBlock block;
  for (std::size_t b = 0; b < blocks; ++b, to += L::bytes)
    for (int row = 0; row < rows; ++row) {
      const std::size_t at = static_cast<std::size_t>(first_row + row) * row_bytes + b * static_cast<std::size_t>(format.block_bytes);
      format.unpack(tensor.bytes.data() + at, block);
      pack_row(L{}, block, row, to);
    }
}

}  // namespace

Layout layout_of(const quant::Format& format) {
  for (const FormatLayout& row : format_layouts)
    if (row.format == format.name) return row.layout;
  return Layout::none;
}

Layout wide_layout_of(const quant::Format& format) {
  return format.block_weights == 32 ? Layout::wide_32 : Layout::wide_256;
}

std::size_t block_bytes(Layout layout) {
  switch (layout) {
    case Layout::nibbles_32: return Nibbles32::bytes;
    case Layout::nibbles_min_32: return NibblesMin32::bytes;
    case Layout::fives_32: return Fives32::bytes;
    case Layout::fives_min_32: return FivesMin32::bytes;
    case Layout::bytes_32: return Bytes32::bytes;
    case Layout::nibbles_k: return NibblesK::bytes;
    case Layout::fives_k: return FivesK::bytes;
    case Layout::sixes_k: return SixesK::bytes;
    case Layout::threes_k: return ThreesK::bytes;
    case Layout::twos_k: return TwosK::bytes;
    case Layout::iq4_32: return Steps32<Iq4Steps>::bytes;
    case Layout::mx4_32: return Steps32<Mx4Steps>::bytes;
    case Layout::iq4_k: return Iq4K::bytes;
    case Layout::wide_32: return Wide<32>::bytes;
    case Layout::wide_256: return Wide<256>::bytes;
    case Layout::none:
    case Layout::f32:
    case Layout::f16:
    case Layout::bf16: break;
  }
  QN_CHECK(false, "only packed layouts have blocks");
}

void pack_panel(const quant::EncodedTensor& tensor, Layout layout, std::int64_t first_row, std::byte* to) {
  switch (layout) {
    case Layout::nibbles_32: return pack_blocks<Nibbles32>(tensor, first_row, to);
    case Layout::nibbles_min_32: return pack_blocks<NibblesMin32>(tensor, first_row, to);
    case Layout::fives_32: return pack_blocks<Fives32>(tensor, first_row, to);
    case Layout::fives_min_32: return pack_blocks<FivesMin32>(tensor, first_row, to);
    case Layout::bytes_32: return pack_blocks<Bytes32>(tensor, first_row, to);
    case Layout::nibbles_k: return pack_blocks<NibblesK>(tensor, first_row, to);
    case Layout::fives_k: return pack_blocks<FivesK>(tensor, first_row, to);
    case Layout::sixes_k: return pack_blocks<SixesK>(tensor, first_row, to);
    case Layout::threes_k: return pack_blocks<ThreesK>(tensor, first_row, to);
    case Layout::twos_k: return pack_blocks<TwosK>(tensor, first_row, to);
    case Layout::iq4_32: return pack_blocks<Steps32<Iq4Steps>>(tensor, first_row, to);
    case Layout::mx4_32: return pack_blocks<Steps32<Mx4Steps>>(tensor, first_row, to);
    case Layout::iq4_k: return pack_blocks<Iq4K>(tensor, first_row, to);
    case Layout::wide_32: return pack_blocks<Wide<32>>(tensor, first_row, to);
    case Layout::wide_256: return pack_blocks<Wide<256>>(tensor, first_row, to);
    case Layout::none:
    case Layout::f32:
    case Layout::f16:
    case Layout::bf16: break;
  }
  QN_CHECK(false, "only packed layouts are packed");
}

}  // namespace qn::cpu
