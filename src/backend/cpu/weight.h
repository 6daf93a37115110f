// A matrix or vector as the cpu backend keeps it: a matrix lies where the file's map is, and is unpacked when used.
#pragma once

#include <vector>

#include "backend/backend.h"
#include "backend/cpu/layout.h"
#include "base/check.h"

namespace qn::cpu {

struct CpuWeight final : Weight {
  quant::EncodedTensor tensor;  // points into the file's map
  Layout layout = Layout::blocks;
  std::vector<float> values;  // of a vector (Use::vector), decoded

  int panels() const { return (rows + panel_rows - 1) / panel_rows; }
  int blocks() const { return columns / tensor.format->block_weights; }
  std::size_t row_bytes() const { return tensor.format->row_bytes(columns); }
  const std::byte* panel(int index) const { return tensor.bytes.data() + static_cast<std::size_t>(index) * panel_rows * row_bytes(); }
};

inline const CpuWeight& of(const Weight& weight) {
  return static_cast<const CpuWeight&>(weight);
}

inline const float* vector_of(const Weight& weight, int count) {
  QN_CHECK(of(weight).values.size() == static_cast<std::size_t>(count), "a vector has one value for each column");
  return of(weight).values.data();
}

}  // namespace qn::cpu
