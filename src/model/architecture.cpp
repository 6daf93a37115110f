#include "model/architecture.h"

#include <array>
#include <string>

namespace qn::model {

#define QN_ARCH(name) extern const Architecture arch_##name;
#include "model/arch_table.inc"
#undef QN_ARCH

namespace {

constexpr std::array table = {
#define QN_ARCH(name) &arch_##name,
#include "model/arch_table.inc"
#undef QN_ARCH
};

}  // namespace

int resolve(Dim dim, const Sizes& sizes) {
  switch (dim) {
    case Dim::one: return 1;
    case Dim::width: return sizes.width;
    case Dim::q_width: return sizes.q_width();
    case Dim::kv_width: return sizes.kv_width();
    case Dim::feed_forward: return sizes.feed_forward;
    case Dim::vocab: return sizes.vocab;
    case Dim::head: return sizes.head;
    case Dim::half_rotated: return sizes.rotated / 2;
  }
  return 0;
}

Tensor Scratch::take(int rows, int columns) {
  Tensor tensor{memory_.data() + used_, Element::f32, rows, columns};
  // 64 bytes: a cache line, and the widest vector.
  used_ += (tensor.bytes() + 63) / 64 * 64;
  QN_CHECK(used_ <= memory_.size(), "scratch_columns covers what a layer takes");
  return tensor;
}

std::span<const Architecture* const> architectures() {
  return table;
}

Result<const Architecture*> find_architecture(std::string_view name) {
  std::string known;
  for (const Architecture* architecture : table) {
    if (architecture->name == name) return architecture;
    known += known.empty() ? "" : ", ";
    known += architecture->name;
  }
  return fail(Code::unsupported, "general.architecture: {} is not supported; quern runs {}", quoted(name), known);
}

}  // namespace qn::model
