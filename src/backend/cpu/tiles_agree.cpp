#include "backend/cpu/tiles_agree.h"

#include <cstring>
#include <vector>

#include "backend/cpu/kernels.h"
#include "base/random.h"

namespace qn::cpu {
namespace {

constexpr int tokens = 21, columns = span_weights;

// A product of random numbers in one shape.
std::vector<float> product(const KernelTable& kernels, const SpanShape& shape) {
  std::uint64_t counter = 0;
  const auto random = [&] { return philox(1, counter++)[0]; };
  std::vector<Span> spans(2);
  for (Span& span : spans) {
    for (auto& quad : span.quad)
      for (std::uint8_t& code : quad) code = static_cast<std::uint8_t>(random());
    for (int i = 0; i < 8; ++i)
      for (int r = 0; r < panel_rows; ++r) {
        span.head.d[i][r] = span.head.dmin[i][r] = static_cast<float>(random() % 100) * 0.01f;
        span.head.min_pair[i][r][0] = span.head.min_pair[i][r][1] = static_cast<std::int16_t>(random() % 64);
        span.head.scale[i][r] = span.head.scale[i + 8][r] = static_cast<std::int32_t>(random() % 64);
      }
  }
  std::vector<std::int8_t> code(tokens * columns);
  for (std::int8_t& c : code) c = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
  const std::vector<float> scale(tokens * columns / 32, 0.5f);
  const std::vector<std::int16_t> sums(tokens * columns / 16, 7);
  const std::vector<std::int32_t> start(tokens * columns / 16, -99);
  std::vector<float> out(tokens * 2 * panel_rows);

  SpansJob job;
  job.panel[0] = &spans[0];
  job.panel[1] = &spans[1];
  job.spans = 1;
  job.blocks = span_weights / shape.block_weights;
  job.x = {code.data(), scale.data(), sums.data(), sums.data(), start.data(), columns, shape.block_weights};
  job.tokens = tokens;
  job.sums = out.data();
  job.first = true;
  kernels.spans(shape, job);
  return out;
}

bool agree(const SpanShape& shape) {
  const std::vector<float> tiles = product(kernels_amx(), shape), vectors = product(kernels_avx512(), shape);
  return std::memcmp(tiles.data(), vectors.data(), tiles.size() * sizeof(float)) == 0;
}

}  // namespace

bool tiles_agree() {
  static const bool agreed = agree({256, 32, true, false, 0}) && agree({256, 16, false, false, 0}) && agree({32, 32, false, false, 0});
  return agreed;
}

}  // namespace qn::cpu
