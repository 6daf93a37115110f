// What an instruction set provides: the writers of all formats that search, filled by writers_<isa>.cpp from the same sources.
// All give the same bits. Nothing here may have an inline body: per-ISA objects lend no code to others.
#pragma once

#include <cstddef>

#include "base/cpu_features.h"

// The formats whose struct declares write(): QN_WRITTEN_FORMATS(X) expands to X(F) for each.
#define QN_WRITTEN_FORMATS(X) \
  X(Q4_0)                     \
  X(Q4_1)                     \
  X(Q5_0)                     \
  X(Q5_1)                     \
  X(Q2_K)                     \
  X(Q3_K)                     \
  X(Q4_K)                     \
  X(Q5_K)                     \
  X(Q6_K)                     \
  X(IQ1_S)                    \
  X(IQ1_M)                    \
  X(IQ2_XXS)                  \
  X(IQ2_XS)                   \
  X(IQ2_S)                    \
  X(IQ3_XXS)                  \
  X(IQ3_S)                    \
  X(IQ4_NL)                   \
  X(IQ4_XS)                   \
  X(TQ1_0)                    \
  X(TQ2_0)                    \
  X(MXFP4)

namespace qn::quant {

using Writer = void (*)(const float* values, const float* importance, std::byte* blocks, std::size_t block_count);

struct WriterTable {
#define QN_WRITER(F) Writer write_##F;
  QN_WRITTEN_FORMATS(QN_WRITER)
#undef QN_WRITER
};

const WriterTable& writers_scalar();
const WriterTable& writers_avx2();    // only where the processor has it
const WriterTable& writers_avx512();  // only where the processor has it

}  // namespace qn::quant
