#include "backend/cpu/layout.h"

#include <algorithm>
#include <cstring>

namespace qn::cpu {
namespace {

void put_row(const KernelTable& kernels, const quant::Format& format, const quant::IntBlock& block, int index, int row, Span& to) {
  to.head.d[index][row] = block.d;
  to.head.dmin[index][row] = block.dmin;
  if (format.block_weights == span_weights)
    for (int group = 0; group < span_weights / quant::group_weights; ++group) {
      to.head.scale[group][row] = block.scale[group];
      to.head.min_pair[group / 2][row][group % 2] = block.min[group];
    }
  // A sum modulo 256 is the code with its top bit flipped, or the code itself.
  const auto bias = static_cast<std::uint32_t>(kernels.signed_bias) * 0x01010101u;
  for (int quad = 0; quad < format.block_weights / 4; ++quad) {
    std::uint32_t codes = 0;
    std::memcpy(&codes, block.code + quad * 4, 4);
    codes ^= bias;
    std::memcpy(to.quad[index * format.block_weights / 4 + quad] + row * 4, &codes, 4);
  }
}

}  // namespace

Layout layout_of(const quant::Format& format) {
  if (format.name == "F32") return Layout::f32;
  if (format.name == "F16") return Layout::f16;
  if (format.name == "BF16") return Layout::bf16;
  return Layout::blocks;
}

const Reader* reader_of(const KernelTable& kernels, const quant::Format& format) {
  const auto found = std::find_if(kernels.readers.begin(), kernels.readers.end(),
                                  [&](const Reader& reader) { return reader.gguf_type == format.gguf_type; });
  return found == kernels.readers.end() ? nullptr : &*found;
}

SpanShape shape_of(const KernelTable& kernels, const quant::Format& format) {
  if (const Reader* reader = reader_of(kernels, format)) return reader->shape;
  return {format.block_weights, format.block_weights == 32 ? 32 : quant::group_weights, format.has_min, true, kernels.signed_bias};
}

void unpack(const KernelTable& kernels, const quant::Format& format, Rows rows, int blocks, Span* to) {
  if (const Reader* reader = reader_of(kernels, format)) return reader->unpack(rows, blocks, to);
  const int span_blocks = span_weights / format.block_weights;
  quant::IntBlock block;
  for (int b = 0; b < blocks; ++b)
    for (int row = 0; row < panel_rows; ++row) {
      format.unpack(rows.row(row) + static_cast<std::size_t>(b) * static_cast<std::size_t>(format.block_bytes), block);
      put_row(kernels, format, block, b % span_blocks, row, to[b / span_blocks]);
    }
}

}  // namespace qn::cpu
