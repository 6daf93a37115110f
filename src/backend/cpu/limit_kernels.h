// What an instruction set offers for measuring a machine: a stream of reads, and loops of its fastest multiply-add. Filled by
// limits_<isa>.cpp. As in kernels.h, nothing here has an inline body.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qn::cpu {

// What a processor may have beyond the instruction sets that are compiled for.
enum class Extra { none, avx_vnni, avx512_bf16 };

struct PeakKernel {
  const char* instruction;    // "vpdpbusd zmm"
  Extra needs;                // beside the instruction set itself
  double operations_a_round;  // two for each multiply-add
  void (*run)(std::int64_t rounds);
};

struct LimitKernels {
  std::uint64_t (*read)(const std::byte* bytes, std::size_t count);  // reads every byte; count is a multiple of 1,024
  // Fastest first: the first that the processor can run is its peak. Empty: nothing faster than f32.
  std::span<const PeakKernel> int8, bf16, f32;
};

const LimitKernels& limit_kernels_scalar();
const LimitKernels& limit_kernels_avx2();
const LimitKernels& limit_kernels_avx512();

}  // namespace qn::cpu
