// One output of a product, y = w . x, for each kind of weight format.
#pragma once

#include <span>

#include "backend/ref/activation.h"
#include "quant/format.h"

namespace qn::ref {

// Quantized formats: exact integers within a block; blocks are combined by one fma each, in ascending order.
float dot_quantized(const quant::EncodedTensor& weight, int row, const QuantizedRow& x);

// Plain formats: sixteen partial sums of float products.
float dot_plain(const quant::EncodedTensor& weight, int row, std::span<const float> x);

// Row `row` of the matrix as floats.
void decode_row(const quant::EncodedTensor& weight, int row, float* out);

}  // namespace qn::ref
