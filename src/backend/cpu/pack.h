// From the blocks of a file to panels (layout.h). Used by adopt() once, or again and again for formats that stay as they lie.
#pragma once

#include "backend/cpu/layout.h"
#include "quant/format.h"

namespace qn::cpu {

// How a format's matrices are kept; Layout::none where they are unpacked when used.
Layout layout_of(const quant::Format& format);

// The layout into which a block of the format is unpacked when used.
Layout wide_layout_of(const quant::Format& format);

constexpr bool is_plain(Layout layout) {
  return layout == Layout::f32 || layout == Layout::f16 || layout == Layout::bf16;
}

std::size_t block_bytes(Layout layout);  // of 16 rows; not for plain layouts

// Packs rows [first_row, first_row + 16) of the matrix into `to`, block after block; rows that do not exist become zeros.
void pack_panel(const quant::EncodedTensor& tensor, Layout layout, std::int64_t first_row, std::byte* to);

}  // namespace qn::cpu
