#include "backend/cpu/linear.h"

#include <algorithm>

#include "backend/cpu/weight.h"

namespace qn::cpu {
namespace {

// Activations of this many bytes stay in the second-level cache beside the panels that they meet.
constexpr int activation_bytes_at_once = 384 * 1024;

int tokens_at_once(int columns) {
  return std::max(12, activation_bytes_at_once / columns / 12 * 12);
}

Outputs outputs_of(const Projection& projection, int panel) {
  const int row = panel * panel_rows;
  Outputs out;
  out.y = projection.y.row(0) + row;
  out.stride = static_cast<std::size_t>(projection.y.columns);
  out.rows = std::min(panel_rows, projection.weight->rows - row);
  if (projection.bias != nullptr) out.bias = vector_of(*projection.bias, projection.weight->rows) + row;
  if (projection.residual != nullptr) {
    out.residual = projection.residual->row(0) + row;
    out.residual_stride = static_cast<std::size_t>(projection.residual->columns);
  }
  return out;
}

}  // namespace

void Linear::quantize(Tensor x, int block_weights, Codes& codes) {
  const std::size_t tokens = static_cast<std::size_t>(x.rows), columns = static_cast<std::size_t>(x.columns);
  const std::size_t block = static_cast<std::size_t>(block_weights);
  QN_CHECK(columns % block == 0, "a row is whole blocks");
  if (codes.code.size() < tokens * columns) {
    codes.code.resize(tokens * columns);
    codes.scale.resize(tokens * columns / block);
    codes.sum_16.resize(tokens * columns / 16);
    codes.sum_32.resize(tokens * columns / 32);
  }
  codes.rows = {codes.code.data(), codes.scale.data(), codes.sum_16.data(), codes.sum_32.data(), x.columns, block_weights};
  workers_.for_parts(x.rows, 4, [&](int, int begin, int end) {
    for (std::size_t t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t)
      kernels_.quantize(x.row(static_cast<int>(t)), x.columns, block_weights, codes.code.data() + t * columns,
                        codes.scale.data() + t * (columns / block), codes.sum_16.data() + t * (columns / 16),
                        codes.sum_32.data() + t * (columns / 32));
  });
}

void Linear::run_panels(Tensor x, const Projection& projection, int worker, int begin, int end) {
  const CpuWeight& weight = of(*projection.weight);
  if (is_plain(weight.layout)) {
    const std::size_t row_bytes = weight.tensor.format->row_bytes(weight.columns);
    for (int panel = begin; panel < end; ++panel)
      kernels_.plain(weight.layout, {weight.tensor.bytes.data() + static_cast<std::size_t>(panel * panel_rows) * row_bytes, row_bytes,
                                     x.row(0), x.columns, 0, x.rows, outputs_of(projection, panel)});
    return;
  }

  const bool packed = weight.layout != Layout::none;
  const Layout layout = packed ? weight.layout : wide_layout_of(*weight.tensor.format);
  const std::size_t panel_bytes = block_bytes(layout) * static_cast<std::size_t>(weight.blocks());
  PanelJob job;
  job.blocks = weight.blocks();
  job.has_min = weight.tensor.format->has_min;
  job.x = weight.tensor.format->block_weights == 32 ? codes_32_.rows : codes_256_.rows;
  if (!packed) {
    std::vector<std::byte>& scratch = unpacked_[static_cast<std::size_t>(worker)];
    if (scratch.size() < panel_bytes) scratch.resize(panel_bytes);
    for (int panel = begin; panel < end; ++panel) {
      pack_panel(weight.tensor, layout, std::int64_t{panel} * panel_rows, scratch.data());
      job.panel = scratch.data();
      job.tokens = x.rows;
      job.out = outputs_of(projection, panel);
      kernels_.panel(layout, job);
    }
    return;
  }
  // Some tokens against all panels of this part, then the next tokens: both stay in the cache.
  const int step = tokens_at_once(x.columns);
  for (job.first_token = 0; job.first_token < x.rows; job.first_token += step) {
    job.tokens = std::min(step, x.rows - job.first_token);
    for (int panel = begin; panel < end; ++panel) {
      job.panel = weight.packed->data + static_cast<std::size_t>(panel) * panel_bytes;
      job.out = outputs_of(projection, panel);
      kernels_.panel(layout, job);
    }
  }
}

void Linear::run(Tensor x, std::span<const Projection> projections) {
  bool needs_32 = false, needs_256 = false;
  int panels = 0;
  for (const Projection& projection : projections) {
    const CpuWeight& weight = of(*projection.weight);
    QN_CHECK(weight.columns == x.columns && weight.rows == projection.y.columns && x.rows == projection.y.rows, "linear: shapes agree");
    panels += weight.panels();
    if (is_plain(weight.layout)) continue;
    (weight.tensor.format->block_weights == 32 ? needs_32 : needs_256) = true;
  }
  if (x.rows == 0) return;
  if (needs_32) quantize(x, 32, codes_32_);
  if (needs_256) quantize(x, 256, codes_256_);

  workers_.for_parts(panels, 4, [&](int worker, int begin, int end) {
    int first = 0;  // of this projection, counted over all projections
    for (const Projection& projection : projections) {
      const int count = of(*projection.weight).panels();
      const int from = std::max(begin - first, 0), to = std::min(end - first, count);
      if (from < to) run_panels(x, projection, worker, from, to);
      first += count;
    }
  });
}

}  // namespace qn::cpu
