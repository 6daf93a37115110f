#include "backend/cpu/limits.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <tuple>

#include "backend/cpu/limit_kernels.h"
#include "backend/host_memory.h"
#include "base/thread_pool.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace qn {
namespace {

using cpu::Extra;
using cpu::PeakKernel;

constexpr int passes = 3;
constexpr std::size_t part_bytes = std::size_t{4} << 20;  // of the stream, for one worker at a time
constexpr int parts_a_worker = 16;                        // of a peak, so that one who is held up leaves little undone
constexpr double pass_seconds = 0.01;

const cpu::LimitKernels& kernels_of(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::avx512) return cpu::limit_kernels_avx512();
  if (isa == Isa::avx2 || isa == Isa::avxvnni) return cpu::limit_kernels_avx2();
#endif
  return cpu::limit_kernels_scalar();
}

bool has(Isa isa, Extra extra) {
  if (extra == Extra::none) return true;
  if (isa == Isa::avx2) return false;
#if defined(__x86_64__)
  // CPUID leaf 7, subleaf 1, EAX: bit 4 AVX-VNNI, bit 5 AVX512_BF16.
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) == 0) return false;
  return (a >> (extra == Extra::avx_vnni ? 4 : 5) & 1) != 0;
#else
  return false;
#endif
}

const PeakKernel* first_that_runs(Isa isa, std::span<const PeakKernel> kernels) {
  const auto found = std::find_if(kernels.begin(), kernels.end(), [&](const PeakKernel& kernel) { return has(isa, kernel.needs); });
  return found == kernels.end() ? nullptr : &*found;
}

double seconds_of(const auto& work) {
  const auto began = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

class CpuLimits final : public LimitMeter {
 public:
  CpuLimits(Isa isa, const PoolOptions& pool, std::unique_ptr<Buffer> stream)
      : kernels_(kernels_of(isa)),
        peaks_{first_that_runs(isa, kernels_.int8), first_that_runs(isa, kernels_.bf16), first_that_runs(isa, kernels_.f32)},
        pool_(pool),
        workers_(pool),
        stream_(std::move(stream)) {
    // Pages that were never written are all the same page of zeros, which fits every cache.
    in_place([&] { each_part([&](std::size_t begin, std::size_t end) { std::memset(stream_->data + begin, 1, end - begin); }); });
  }

  void use(int threads) override { workers_.use(threads); }

  double read_bytes_per_s() override {
    std::atomic<std::uint64_t> sum{0};
    double best = 0;
    in_place([&] {
      for (int pass = 0; pass < passes; ++pass) {
        const double seconds = seconds_of(
            [&] { each_part([&](std::size_t begin, std::size_t end) { sum ^= kernels_.read(stream_->data + begin, end - begin); }); });
        best = std::max(best, static_cast<double>(stream_->bytes) / seconds);
      }
    });
    return best;
  }

  std::optional<double> operations_per_s(Arithmetic kind) override {
    const PeakKernel* peak = peaks_[static_cast<std::size_t>(kind)];
    if (peak == nullptr) return std::nullopt;
    double best = 0;
    in_place([&] { best = measure(*peak); });
    return best;
  }

  std::string_view instruction(Arithmetic kind) const override {
    const PeakKernel* peak = peaks_[static_cast<std::size_t>(kind)];
    return peak == nullptr ? std::string_view() : peak->instruction;
  }

 private:
  // Runs `work` on a thread in the place of the pool's first worker, which the caller's own thread would not leave again.
  void in_place(const auto& work) const {
    std::thread([&] {
      if (!pool_.places.empty()) std::ignore = place_thread(pool_.places.front());
      if (pool_.priority != Priority::normal) std::ignore = prioritize_thread(pool_.priority);
      work();
    }).join();
  }

  double measure(const PeakKernel& peak) {
    const int parts = workers_.size() * parts_a_worker;
    std::int64_t rounds = 1000;
    double best = 0;
    for (int pass = 0; pass < passes;) {
      const double seconds =
          seconds_of([&] { workers_.for_parts(parts, 1, [&](int, int begin, int end) { peak.run(rounds * (end - begin)); }); });
      if (seconds < pass_seconds / 2) {  // too short to tell: the first passes find out how many rounds it takes
        rounds *= std::clamp<std::int64_t>(static_cast<std::int64_t>(pass_seconds / std::max(seconds, 1e-6)), 2, 1000);
        continue;
      }
      best = std::max(best, peak.operations_a_round * static_cast<double>(rounds) * parts / seconds);
      ++pass;
    }
    return best;
  }

  void each_part(const auto& body) {
    const int parts = static_cast<int>(stream_->bytes / part_bytes);
    workers_.for_parts(parts, 1, [&](int, int begin, int end) {
      body(static_cast<std::size_t>(begin) * part_bytes, static_cast<std::size_t>(end) * part_bytes);
    });
  }

  const cpu::LimitKernels& kernels_;
  std::array<const PeakKernel*, std::size(every_arithmetic)> peaks_;
  PoolOptions pool_;
  ThreadPool workers_;
  std::unique_ptr<Buffer> stream_;
};

}  // namespace

std::string_view name(Arithmetic kind) {
  switch (kind) {
    case Arithmetic::int8: return "int8";
    case Arithmetic::bf16: return "bf16";
    case Arithmetic::f32: return "f32";
  }
  return "unknown";
}

Result<std::unique_ptr<LimitMeter>> LimitMeter::make(Isa isa, const PoolOptions& pool, std::size_t stream_bytes) {
  QN_TRY(std::unique_ptr<Buffer> stream, allocate_host(std::max(stream_bytes / part_bytes, std::size_t{1}) * part_bytes));
  return std::make_unique<CpuLimits>(isa, pool, std::move(stream));
}

std::size_t default_stream_bytes() {
  const long cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  const std::size_t least = 4 * std::max<std::size_t>(static_cast<std::size_t>(std::max(cache, 0l)), std::size_t{32} << 20);
  return std::max<std::size_t>(least, std::min<std::uint64_t>(std::size_t{1} << 30, host_info("").available_bytes / 8));
}

}  // namespace qn
