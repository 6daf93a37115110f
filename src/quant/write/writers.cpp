// F::write() of every format that searches: the best instruction set is chosen once.
#include "quant/write/writers.h"

#include "quant/registry.h"

namespace qn::quant {
namespace {

const WriterTable& chosen() {
  static const WriterTable& table = best_isa() == Isa::avx512 ? writers_avx512()
                                    : best_isa() >= Isa::avx2 ? writers_avx2()
                                                              : writers_scalar();
  return table;
}

}  // namespace

#define QN_WRITER(F)                                                                                        \
  void F::write(const float* values, const float* importance, std::byte* blocks, std::size_t block_count) { \
    chosen().write_##F(values, importance, blocks, block_count);                                            \
  }
QN_WRITTEN_FORMATS(QN_WRITER)
#undef QN_WRITER

}  // namespace qn::quant
