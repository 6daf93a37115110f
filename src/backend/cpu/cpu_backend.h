// The cpu backend: the instruction set chosen at run time, any number of threads, the bits of backend/ref.
#pragma once

#include <memory>

#include "backend/backend.h"
#include "base/cpu_features.h"

namespace qn {

struct CpuOptions {
  int threads = 0;       // 0: one for each core that this process may use
  Isa isa = best_isa();  // capped by what the processor has
};

std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options = {});

}  // namespace qn
