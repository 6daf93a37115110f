// The older files of importance matrices. What is accepted has finite means, one for each value.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "file/quantize/importance.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto matrix = qn::file::parse_importance_dat(std::as_bytes(std::span(data, size)), "m.dat");
  if (!matrix) {
    QN_CHECK(matrix.error().message.find('\n') == std::string::npos, "an error is one line");
    return 0;
  }
  for (const auto& [name, entry] : matrix->entries) {
    const std::vector<float> means = entry.means();
    QN_CHECK(means.size() == entry.sums.size(), "a mean for each value");
    for (const float mean : means) QN_CHECK(std::isfinite(mean) && mean >= 0, "a mean of squares");
  }
  return 0;
}
