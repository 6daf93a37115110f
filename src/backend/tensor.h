// Tensor: a borrowed view of numbers in one device's memory. Row-major, contiguous, two dimensions.
#pragma once

#include <cstddef>

#include "base/check.h"

namespace qn {

enum class Element { f32, f16, bf16, i32 };

constexpr std::size_t element_bytes(Element type) {
  return type == Element::f32 || type == Element::i32 ? 4 : 2;
}

struct Tensor {
  std::byte* data = nullptr;
  Element type = Element::f32;
  int rows = 0;
  int columns = 0;

  std::size_t bytes() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * element_bytes(type); }

  float* row(int r) const {  // f32 in host memory only
    return reinterpret_cast<float*>(data) + static_cast<std::size_t>(r) * static_cast<std::size_t>(columns);
  }
  Tensor first_rows(int count) const {
    QN_CHECK(count >= 0 && count <= rows, "a view stays inside its tensor");
    return {data, type, count, columns};
  }
};

}  // namespace qn
