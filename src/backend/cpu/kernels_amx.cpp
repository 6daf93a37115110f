// The kernels for amx: avx512's, with products of many tokens on tiles.
#include "backend/cpu/simd_avx512.h"
// The kernels are written with what the header above defines; the order of these includes matters.
#include "backend/cpu/kernels_amx.h"

namespace qn::cpu {
namespace {

// Fewer tokens leave most of a tile empty.
constexpr int least_tokens = 8;

struct Amx {
  // source   Intel SDM, volume 1, chapter 18: palette 1, rows and bytes of a row for each tile
  struct alignas(64) Configuration {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {};
    std::uint8_t rows[16] = {};
  };
  static_assert(sizeof(Configuration) == 64);

  // Tile 0: sums [tokens][16] of 4 bytes. Tile 1: activations [tokens][group]. Tile 2: weights [group / 4][16] of 4 bytes.
  static void configure(int tokens, int group) {
    Configuration c;
    c.row_bytes[0] = c.row_bytes[2] = 4 * panel_rows;
    c.row_bytes[1] = static_cast<std::uint16_t>(group);
    c.rows[0] = c.rows[1] = static_cast<std::uint8_t>(tokens);
    c.rows[2] = static_cast<std::uint8_t>(group / 4);
    _tile_loadconfig(&c);
  }
  QN_FORCE_INLINE static void dot(const std::int8_t* x, std::ptrdiff_t stride, const std::uint8_t* weights, int, int, TileSums& sums) {
    _tile_zero(0);
    _tile_loadd(1, x, stride);
    _tile_loadd(2, weights, 4 * panel_rows);
    _tile_dpbsud(0, 1, 2);
    _tile_stored(0, sums.of, 4 * panel_rows);
  }
  static void release() { _tile_release(); }
};

// The same in plain words.
struct Imitation {
  static void configure(int, int) {}
  static void dot(const std::int8_t* x, std::ptrdiff_t stride, const std::uint8_t* weights, int tokens, int group, TileSums& sums) {
    for (int t = 0; t < tokens; ++t)
      for (int row = 0; row < panel_rows; ++row) {
        std::int32_t sum = 0;
        for (int k = 0; k < group; ++k) sum += x[t * stride + k] * weights[k / 4 * 4 * panel_rows + row * 4 + k % 4];
        sums.of[t][row] = sum;
      }
  }
  static void release() {}
};

template <class Tiles>
void spans(const SpanShape& shape, const SpansJob& job) {
  if (job.tokens < least_tokens) return kernels_avx512().spans(shape, job);
  tile_spans_by_shape<Tiles>(shape, job);
}

template <class Tiles>
KernelTable with_tiles() {
  KernelTable table = kernels_avx512();
  table.isa = Isa::amx;
  table.spans = spans<Tiles>;
  return table;
}

}  // namespace

const KernelTable& kernels_amx() {
  static const KernelTable table = with_tiles<Amx>();
  return table;
}

const KernelTable& kernels_amx_imitated() {
  static const KernelTable table = with_tiles<Imitation>();
  return table;
}

}  // namespace qn::cpu
