// A matrix or vector as the cpu backend keeps it.
#pragma once

#include <memory>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/pack.h"
#include "base/check.h"

namespace qn::cpu {

struct CpuWeight final : Weight {
  quant::EncodedTensor tensor;  // points into the file's map; embed() and Layout::none read it
  Layout layout = Layout::none;
  std::unique_ptr<Buffer> packed;  // panels, for the packed layouts
  std::vector<float> values;       // of a vector (Use::vector), decoded

  int panels() const { return (rows + panel_rows - 1) / panel_rows; }
  int blocks() const { return columns / tensor.format->block_weights; }
};

inline const CpuWeight& of(const Weight& weight) {
  return static_cast<const CpuWeight&>(weight);
}

inline const float* vector_of(const Weight& weight, int count) {
  QN_CHECK(of(weight).values.size() == static_cast<std::size_t>(count), "a vector has one value for each column");
  return of(weight).values.data();
}

}  // namespace qn::cpu
