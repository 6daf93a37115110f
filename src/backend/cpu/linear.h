// linear(): quantizes the activations once for each block size among the projections, then shares out all their panels as one job.
//
//   few tokens    each panel of 16 rows: Reader::direct, from the file's bytes to the outputs in registers
//   many tokens   each pair of panels: some columns are unpacked into the cache (Span), then multiplied with all tokens
//   plain rows    f32, f16, bf16: KernelTable::plain
#pragma once

#include <span>
#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/ops.h"
#include "base/thread_pool.h"

namespace qn::cpu {

struct CpuWeight;

class Linear {
 public:
  Linear(const KernelTable& kernels, ThreadPool& workers)
      : kernels_(kernels), workers_(workers), scratch_(static_cast<std::size_t>(workers.size())) {}

  void run(Tensor x, std::span<const Projection> projections);

 private:
  // Storage behind QuantizedRows, kept from call to call.
  struct Starts {
    int group = 0, bias = 0;
    std::vector<std::int32_t> values;  // [T, M / group]
  };
  struct Codes {
    std::vector<std::int8_t> code;
    std::vector<float> scale;
    std::vector<std::int16_t> sum_16, sum_32;
    std::vector<Starts> starts;  // those that this call needs come first
    int starts_used = 0;
    QuantizedRows rows;
  };
  struct Scratch {  // one worker's
    std::vector<Span> spans;
    std::vector<float> sums;
    std::vector<std::byte> rows[2];
  };

  Codes& codes_of(const CpuWeight& weight);
  QuantizedRows rows_of(const CpuWeight& weight);
  void need(const CpuWeight& weight);
  void quantize(Tensor x, Codes& codes);
  void run_plain(Tensor x, const Projection& projection, int begin, int end);
  void run_direct(Tensor x, const Projection& projection, Scratch& scratch, int begin, int end);
  void run_spans(Tensor x, const Projection& projection, Scratch& scratch, int begin, int end);

  const KernelTable& kernels_;
  ThreadPool& workers_;
  Codes codes_32_, codes_256_;
  std::vector<Scratch> scratch_;
};

}  // namespace qn::cpu
