#include "backend/cpu/linear.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/weight.h"

namespace qn::cpu {
namespace {

// Spans of a row that are unpacked at once, at most: two panels of them, as bytes with their scales, fill 104 KiB of the second-level
// cache.
constexpr int most_spans_at_once = 8;
// Tokens that meet unpacked spans before the next are unpacked.
constexpr int tokens_at_once = 512;

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

// A panel's rows where they lie; for a last one that is not full, a copy with rows of zeros.
Rows rows_at(const CpuWeight& weight, int panel, std::vector<std::byte>& copy) {
  const std::size_t row_bytes = weight.row_bytes();
  const int rows = weight.rows - panel * panel_rows;
  if (rows >= panel_rows) return {weight.panel(panel), row_bytes};
  copy.assign(row_bytes * panel_rows, std::byte{0});
  std::memcpy(copy.data(), weight.panel(panel), row_bytes * static_cast<std::size_t>(rows));
  return {copy.data(), row_bytes};
}

}  // namespace

Linear::Codes& Linear::codes_of(const CpuWeight& weight) {
  return weight.tensor.format->block_weights == 32 ? codes_32_ : codes_256_;
}

// The activations as this weight's kernels want them.
QuantizedRows Linear::rows_of(const CpuWeight& weight) {
  const Codes& codes = codes_of(weight);
  const SpanShape shape = shape_of(kernels_, *weight.tensor.format);
  QuantizedRows rows = codes.rows;
  for (const Starts& starts : codes.starts)
    if (starts.group == shape.group && starts.bias == shape.bias) rows.start = starts.values.data();
  return rows;
}

void Linear::need(const CpuWeight& weight) {
  Codes& codes = codes_of(weight);
  const SpanShape shape = shape_of(kernels_, *weight.tensor.format);
  codes.rows.block_weights = shape.block_weights;
  const auto end = codes.starts.begin() + codes.starts_used;
  const auto same = [&](const Starts& starts) { return starts.group == shape.group && starts.bias == shape.bias; };
  if (std::find_if(codes.starts.begin(), end, same) != end) return;
  const auto found = std::find_if(end, codes.starts.end(), same);
  if (found == codes.starts.end()) {
    codes.starts.insert(end, Starts{shape.group, shape.bias, {}});
  } else {
    std::iter_swap(end, found);
  }
  ++codes.starts_used;
}

void Linear::quantize(Tensor x, Codes& codes) {
  const std::size_t tokens = static_cast<std::size_t>(x.rows), columns = static_cast<std::size_t>(x.columns);
  const std::size_t block = static_cast<std::size_t>(codes.rows.block_weights);
  QN_CHECK(columns % block == 0, "a row is whole blocks");
  if (codes.code.size() < tokens * columns) {
    codes.code.resize(tokens * columns);
    codes.scale.resize(tokens * columns / block);
    codes.sum_16.resize(tokens * columns / 16);
    codes.sum_32.resize(tokens * columns / 32);
  }
  const std::span<Starts> starts(codes.starts.data(), static_cast<std::size_t>(codes.starts_used));
  for (Starts& s : starts)
    if (const std::size_t count = tokens * columns / static_cast<std::size_t>(s.group); s.values.size() < count) s.values.resize(count);
  codes.rows.code = codes.code.data();
  codes.rows.scale = codes.scale.data();
  codes.rows.sum_16 = codes.sum_16.data();
  codes.rows.sum_32 = codes.sum_32.data();
  codes.rows.columns = x.columns;
  workers_.for_parts(x.rows, 4, [&](int, int begin, int end) {
    for (std::size_t t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t) {
      std::int16_t* sum_16 = codes.sum_16.data() + t * (columns / 16);
      std::int16_t* sum_32 = codes.sum_32.data() + t * (columns / 32);
      kernels_.quantize(x.row(static_cast<int>(t)), x.columns, codes.rows.block_weights, codes.code.data() + t * columns,
                        codes.scale.data() + t * (columns / block), sum_16, sum_32);
      for (Starts& s : starts) {
        const std::size_t groups = columns / static_cast<std::size_t>(s.group);
        const std::int16_t* sums = s.group == 16 ? sum_16 : sum_32;
        std::int32_t* to = s.values.data() + t * groups;
        for (std::size_t g = 0; g < groups; ++g) to[g] = -s.bias * sums[g];
      }
    }
  });
}

void Linear::run_plain(Tensor x, const Projection& projection, int begin, int end) {
  const CpuWeight& weight = of(*projection.weight);
  for (int panel = begin; panel < end; ++panel)
    kernels_.plain(weight.layout, {weight.panel(panel), weight.row_bytes(), x.row(0), x.columns, 0, x.rows, outputs_of(projection, panel)});
}

void Linear::run_direct(Tensor x, const Projection& projection, Scratch& scratch, int begin, int end) {
  const CpuWeight& weight = of(*projection.weight);
  const Reader& reader = *reader_of(kernels_, *weight.tensor.format);
  DirectJob job;
  job.x = rows_of(weight);
  job.tokens = x.rows;
  for (int panel = begin; panel < end; ++panel) {
    job.rows = rows_at(weight, panel, scratch.rows[0]);
    job.next = panel + 1 < weight.rows / panel_rows ? weight.panel(panel + 1) : nullptr;
    job.out = outputs_of(projection, panel);
    reader.direct(job);
  }
}

void Linear::run_spans(Tensor x, const Projection& projection, Scratch& scratch, int begin, int end) {
  const CpuWeight& weight = of(*projection.weight);
  const quant::Format& format = *weight.tensor.format;
  const SpanShape shape = shape_of(kernels_, format);
  const std::size_t span_bytes = static_cast<std::size_t>(shape.span_blocks() * format.block_bytes);
  const std::size_t row_bytes = weight.row_bytes();
  const int spans_in_all = (weight.blocks() + shape.span_blocks() - 1) / shape.span_blocks();
  const int chunks = (spans_in_all + most_spans_at_once - 1) / most_spans_at_once;
  const int spans_at_once = (spans_in_all + chunks - 1) / chunks;
  if (scratch.spans.empty()) scratch.spans.resize(2 * most_spans_at_once);
  if (const auto most = static_cast<std::size_t>(std::min(x.rows, tokens_at_once)) * 2 * panel_rows; scratch.sums.size() < most)
    scratch.sums.resize(most);

  SpansJob job;
  job.x = rows_of(weight);
  job.sums = scratch.sums.data();
  for (job.first_token = 0; job.first_token < x.rows; job.first_token += tokens_at_once) {
    job.tokens = std::min(tokens_at_once, x.rows - job.first_token);
    for (int panel = begin; panel < end; panel += 2) {
      const bool two = panel + 1 < end;
      const Rows rows[2] = {rows_at(weight, panel, scratch.rows[0]), two ? rows_at(weight, panel + 1, scratch.rows[1]) : Rows{}};
      for (int block = 0; block < weight.blocks(); block += job.blocks) {
        job.blocks = std::min(spans_at_once * shape.span_blocks(), weight.blocks() - block);
        job.spans = (job.blocks + shape.span_blocks() - 1) / shape.span_blocks();
        const std::size_t at = static_cast<std::size_t>(block) * static_cast<std::size_t>(format.block_bytes);
        for (int p = 0; p < (two ? 2 : 1); ++p) {
          Span* spans = scratch.spans.data() + p * spans_at_once;
          unpack(kernels_, format, rows[p].at(at), job.blocks, spans);
          job.panel[p] = spans;
        }
        if (!two) job.panel[1] = nullptr;
        job.first_column = block * format.block_weights;
        job.first = block == 0;
        // What comes next: these panels' next columns, or the next panels' first.
        const std::size_t next = at + static_cast<std::size_t>(job.spans) * span_bytes;
        const bool last = next >= row_bytes;
        const int next_panel = last ? panel + 2 : panel;
        job.ahead = {weight.panel(next_panel) + (last ? 0 : next), row_bytes};
        job.ahead_rows = std::clamp(weight.rows - next_panel * panel_rows, 0, 2 * panel_rows);
        job.ahead_bytes = std::min(static_cast<std::size_t>(spans_at_once) * span_bytes, last ? row_bytes : row_bytes - next);
        if (job.ahead_rows == 0) job.ahead.first = nullptr;
        kernels_.spans(shape, job);
      }
      const Outputs out[2] = {outputs_of(projection, panel), two ? outputs_of(projection, panel + 1) : Outputs{}};
      for (int t = 0; t < job.tokens; ++t)  // both panels of a token lie side by side
        for (int p = 0; p < (two ? 2 : 1); ++p) kernels_.write(job.sums + (2 * t + p) * panel_rows, out[p], job.first_token + t);
    }
  }
}

void Linear::run(Tensor x, std::span<const Projection> projections) {
  codes_32_.starts_used = codes_256_.starts_used = 0;
  int pairs = 0;
  const auto pairs_of = [](const CpuWeight& weight) { return (weight.panels() + 1) / 2; };
  for (const Projection& projection : projections) {
    const CpuWeight& weight = of(*projection.weight);
    QN_CHECK(weight.columns == x.columns && weight.rows == projection.y.columns && x.rows == projection.y.rows, "linear: shapes agree");
    pairs += pairs_of(weight);
    if (!is_plain(weight.layout)) need(weight);
  }
  if (x.rows == 0) return;
  if (codes_32_.starts_used > 0) quantize(x, codes_32_);
  if (codes_256_.starts_used > 0) quantize(x, codes_256_);

  workers_.for_parts(pairs, 2, [&](int worker, int begin, int end) {
    int first = 0;  // of this projection, counted over all projections
    for (const Projection& projection : projections) {
      const CpuWeight& weight = of(*projection.weight);
      const int count = pairs_of(weight);
      const int from = 2 * std::max(begin - first, 0), to = std::min(2 * std::min(end - first, count), weight.panels());
      first += count;
      if (from >= to) continue;
      Scratch& scratch = scratch_[static_cast<std::size_t>(worker)];
      if (is_plain(weight.layout)) {
        run_plain(x, projection, from, to);
      } else if (x.rows <= kernels_.direct_tokens && reader_of(kernels_, *weight.tensor.format) != nullptr) {
        run_direct(x, projection, scratch, from, to);
      } else {
        run_spans(x, projection, scratch, from, to);
      }
    }
  });
}

}  // namespace qn::cpu
