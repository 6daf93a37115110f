// LimitMeter: what this machine can do at most with some threads and one instruction set, measured now. Benchmarks are read against it.
// Machines are shared and clocks move, so a limit holds for the minute in which it was taken.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/cpu_features.h"
#include "base/result.h"
#include "base/thread_pool.h"

namespace qn {

enum class Arithmetic { int8, bf16, f32 };
inline constexpr Arithmetic every_arithmetic[] = {Arithmetic::int8, Arithmetic::bf16, Arithmetic::f32};
std::string_view name(Arithmetic kind);  // "int8"

class LimitMeter {
 public:
  //   pool          threads and their places; those of the backend that is measured
  //   stream_bytes  read by one measurement of the bandwidth; far more than the caches hold
  //   errors        out_of_memory
  static Result<std::unique_ptr<LimitMeter>> make(Isa isa, const PoolOptions& pool, std::size_t stream_bytes);
  virtual ~LimitMeter() = default;

  virtual void use(int threads) = 0;  // so many of the pool's, from here on

  virtual double read_bytes_per_s() = 0;  // best of three passes
  // Two operations for each multiply-add; none where nothing beats the next wider kind. Best of three passes of some milliseconds.
  virtual std::optional<double> operations_per_s(Arithmetic kind) = 0;
  virtual std::string_view instruction(Arithmetic kind) const = 0;  // "vpdpbusd zmm"; empty where there is none
};

// Bytes to stream on this machine: 1 GiB, less where memory is short, and never less than four times the largest cache.
std::size_t default_stream_bytes();

}  // namespace qn
