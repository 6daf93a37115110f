// The cpu backend: the instruction set chosen at run time, any number of threads, the bits of backend/ref.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "base/cpu_features.h"
#include "base/thread_pool.h"

namespace qn {

namespace cpu {
struct KernelTable;
}

struct CpuOptions {
  int threads = 0;                            // 0: one for each core that this process may use
  Isa isa = best_isa();                       // capped by what the processor has
  int prompt_threads = 0;                     // for steps of many rows; 0: as many
  PoolOptions pool = {};                      // places, priority and spinning; its size follows from the two above
  const cpu::KernelTable* kernels = nullptr;  // in place of those of `isa`: for tests
};

std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options = {});

}  // namespace qn
