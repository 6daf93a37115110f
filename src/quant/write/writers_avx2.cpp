// The writers for avx2: one object, nothing of which any other object may use but the table.
#include "quant/write/rows.h"
#include "quant/write/writers.h"

namespace qn::quant {

const WriterTable& writers_avx2() {
#define QN_WRITER(F) write_rows<F>,
  static constexpr WriterTable table = {QN_WRITTEN_FORMATS(QN_WRITER)};
#undef QN_WRITER
  return table;
}

}  // namespace qn::quant
