// What a format is to the cpu backend: plain rows of floats, or blocks, with or without a reader of their own.
#pragma once

#include "backend/cpu/kernels.h"
#include "quant/format.h"

namespace qn::cpu {

Layout layout_of(const quant::Format& format);

constexpr bool is_plain(Layout layout) {
  return layout != Layout::blocks;
}

// The instruction set's reader of the format; null where it has none.
const Reader* reader_of(const KernelTable& kernels, const quant::Format& format);

// How spans of the format are multiplied.
SpanShape shape_of(const KernelTable& kernels, const quant::Format& format);

// Unpacks `blocks` blocks of sixteen rows, to as many spans as they fill: by the reader, or else by the format's own unpack().
void unpack(const KernelTable& kernels, const quant::Format& format, Rows rows, int blocks, Span* to);

}  // namespace qn::cpu
