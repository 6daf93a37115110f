#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/attention.h"
#include "backend/cpu/kernels.h"
#include "backend/cpu/linear.h"
#include "backend/cpu/tiles_agree.h"
#include "backend/cpu/weight.h"
#include "backend/host_memory.h"
#include "base/thread_pool.h"
#include "base/turns.h"

namespace qn {
namespace {

using cpu::CpuWeight;

const cpu::KernelTable& kernels_of(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::amx) return cpu::tiles_agree() ? cpu::kernels_amx() : cpu::kernels_avx512();
  if (isa == Isa::avx512) return cpu::kernels_avx512();
  if (isa == Isa::avxvnni) return cpu::kernels_avxvnni();
  if (isa == Isa::avx2) return cpu::kernels_avx2();
#endif
  return cpu::kernels_scalar();
}

constexpr int rows_of_a_prompt = 5;               // steps of so many rows count as prompts: arithmetic, not memory, is their limit
constexpr int elements_for_a_thread = 16 * 1024;  // below this a second thread costs more than it brings

int rows_for_a_thread(int columns) {
  return std::max(1, elements_for_a_thread / std::max(columns, 1));
}

class CpuOps final : public Ops {
 public:
  CpuOps(const cpu::KernelTable& kernels, ThreadPool& workers)
      : kernels_(kernels), workers_(workers), linear_(kernels, workers), attention_(kernels, workers) {}

  void embed(const Weight& table, std::span<const TokenId> ids, Tensor out) override {
    const quant::EncodedTensor& tensor = cpu::of(table).tensor;
    QN_CHECK(out.rows == static_cast<int>(ids.size()) && out.columns == table.columns, "embed: one row for each id");
    const std::size_t row_bytes = tensor.format->row_bytes(tensor.columns);
    const std::size_t blocks = static_cast<std::size_t>(tensor.columns / tensor.format->block_weights);
    workers_.for_parts(out.rows, rows_for_a_thread(out.columns), [&](int, int begin, int end) {
      for (int t = begin; t < end; ++t) {
        const TokenId id = ids[static_cast<std::size_t>(t)];
        QN_CHECK(id >= 0 && id < table.rows, "embed: ids are in [0, V)");
        tensor.format->dequantize(tensor.bytes.data() + static_cast<std::size_t>(id) * row_bytes, out.row(t), blocks);
      }
    });
  }

  void rms_norm(Tensor x, const Weight& weight, float eps, Tensor y) override {
    const float* w = cpu::vector_of(weight, x.columns);
    QN_CHECK(x.rows == y.rows && x.columns == y.columns, "rms_norm: shapes agree");
    workers_.for_parts(x.rows, rows_for_a_thread(x.columns), [&](int, int begin, int end) {
      for (int t = begin; t < end; ++t) kernels_.normalize(x.row(t), w, eps, x.columns, y.row(t));
    });
  }

  void linear(Tensor x, std::span<const Projection> projections) override { linear_.run(x, projections); }

  std::unique_ptr<AttentionPlan> plan_attention(std::span<const SequenceRows> sequences, int) override {
    return cpu::Attention::plan(sequences);
  }

  void rotate_and_store(const AttentionPlan& plan, const RotateArgs& args, const KvPool& pool) override {
    attention_.rotate_and_store(static_cast<const cpu::CpuPlan&>(plan), args, pool);
  }

  void attend(const AttentionPlan& plan, const AttendArgs& args, const KvPool& pool) override {
    attention_.attend(static_cast<const cpu::CpuPlan&>(plan), args, pool);
  }

  void swiglu(Tensor gate, Tensor up, Tensor y) override {
    QN_CHECK(gate.rows == up.rows && gate.columns == up.columns && y.rows == up.rows && y.columns == up.columns, "swiglu: shapes agree");
    workers_.for_parts(y.rows, rows_for_a_thread(y.columns), [&](int, int begin, int end) {
      for (int t = begin; t < end; ++t) kernels_.swiglu(gate.row(t), up.row(t), y.row(t), y.columns);
    });
  }

  void gather(Tensor x, std::span<const int> rows, Tensor y) override {
    QN_CHECK(y.rows == static_cast<int>(rows.size()) && x.columns == y.columns, "gather: one row for each index");
    for (int i = 0; i < y.rows; ++i)
      std::memcpy(y.row(i), x.row(rows[static_cast<std::size_t>(i)]), static_cast<std::size_t>(x.columns) * sizeof(float));
  }

 private:
  const cpu::KernelTable& kernels_;
  ThreadPool& workers_;
  cpu::Linear linear_;
  cpu::Attention attention_;
};

class CpuBackend final : public Backend {
 public:
  CpuBackend(const cpu::KernelTable& kernels, int threads, int prompt_threads, const PoolOptions& pool)
      : kernels_(kernels), threads_(threads), prompt_threads_(prompt_threads), workers_(pool), ops_(kernels_, workers_) {}

  DeviceInfo info() const override {
    return host_info(fmt::format("cpu {}, {} {}", name(kernels_.isa), threads_, threads_ == 1 ? "thread" : "threads"));
  }
  Ops& ops() override { return ops_; }
  Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) override { return allocate_host(bytes); }

  Result<std::unique_ptr<Weight>> adopt(const quant::EncodedTensor& tensor, Use use) override {
    if (Status status = check_adoptable(tensor); !status) return tl::unexpected(status.error());
    flush_denormals();
    auto weight = std::make_unique<CpuWeight>();
    weight->rows = static_cast<int>(tensor.rows);
    weight->columns = static_cast<int>(tensor.columns);
    weight->tensor = tensor;
    weight->layout = cpu::layout_of(*tensor.format);
    if (use == Use::vector) weight->values = decode_vector(tensor);
    weight->borrows_file = use != Use::vector;
    return weight;
  }

  void begin_step(int rows) override {
    turns_.take();
    workers_.use(rows < rows_of_a_prompt ? threads_ : prompt_threads_);
    workers_.enlist();
  }
  void end_step() override { turns_.give_back(); }

  void upload(Tensor to, const void* from) override { std::memcpy(to.data, from, to.bytes()); }
  void download(void* to, Tensor from) override { std::memcpy(to, from.data, from.bytes()); }
  void wait() override {}
  void replay(std::uint64_t, const std::function<void()>& fn) override { fn(); }
  bool supports(Use, const quant::Format& format) const override { return format.dequantize != nullptr; }

  int host_workers() const override { return workers_.size(); }
  void on_host(int count, const std::function<void(int worker, int index)>& body) override {
    if (count == 1) return body(0, 0);
    begin_step(count);
    workers_.for_parts(count, 1, [&](int worker, int begin, int end) {
      for (int index = begin; index < end; ++index) body(worker, index);
    });
    end_step();
  }

 private:
  const cpu::KernelTable& kernels_;
  int threads_, prompt_threads_;
  Turns turns_;  // who may use what follows: workers and scratch memory know one job at a time
  ThreadPool workers_;
  CpuOps ops_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const CpuOptions& options) {
  const int threads = options.threads > 0 ? options.threads : usable_cores();
  const int prompt_threads = options.prompt_threads > 0 ? options.prompt_threads : threads;
  PoolOptions pool = options.pool;
  pool.threads = std::max(threads, prompt_threads);
  const cpu::KernelTable& kernels = options.kernels != nullptr ? *options.kernels : kernels_of(usable_isa(options.isa));
  return std::make_unique<CpuBackend>(kernels, threads, prompt_threads, pool);
}

}  // namespace qn
