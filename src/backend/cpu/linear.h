// linear(): quantizes the activations once for each block size among the projections, then shares out all their panels as one job.
#pragma once

#include <span>
#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/ops.h"
#include "base/thread_pool.h"

namespace qn::cpu {

class Linear {
 public:
  Linear(const KernelTable& kernels, ThreadPool& workers)
      : kernels_(kernels), workers_(workers), unpacked_(static_cast<std::size_t>(workers.size())) {}

  void run(Tensor x, std::span<const Projection> projections);

 private:
  struct Codes {  // storage behind QuantizedRows; kept from call to call
    std::vector<std::int8_t> code;
    std::vector<float> scale;
    std::vector<std::int16_t> sum_16, sum_32;
    QuantizedRows rows;
  };

  void quantize(Tensor x, int block_weights, Codes& codes);
  void run_panels(Tensor x, const Projection& projection, int worker, int begin, int end);

  const KernelTable& kernels_;
  ThreadPool& workers_;
  Codes codes_32_, codes_256_;
  std::vector<std::vector<std::byte>> unpacked_;  // for each worker: a panel of a format without a layout of its own
};

}  // namespace qn::cpu
