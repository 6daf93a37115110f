#include "backend/watched_backend.h"

#include <unordered_map>
#include <vector>

namespace qn {
namespace {

class Watched final : public Backend, private Ops {
 public:
  Watched(Backend& backend, ProductWatcher& watcher) : backend_(backend), watcher_(watcher) {}

  DeviceInfo info() const override { return backend_.info(); }
  Ops& ops() override { return *this; }
  Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) override { return backend_.allocate(bytes); }
  Result<std::unique_ptr<Weight>> adopt(const quant::EncodedTensor& tensor, Use use) override {
    QN_TRY(std::unique_ptr<Weight> weight, backend_.adopt(tensor, use));
    names_[weight.get()] = tensor.name;
    return weight;
  }
  void begin_step(int rows) override { backend_.begin_step(rows); }
  void end_step() override { backend_.end_step(); }
  void upload(Tensor to, const void* from) override { backend_.upload(to, from); }
  void download(void* to, Tensor from) override { backend_.download(to, from); }
  void wait() override { backend_.wait(); }
  void replay(std::uint64_t, const std::function<void()>& fn) override { fn(); }  // a replayed graph would show nothing
  bool supports(Use use, const quant::Format& format) const override { return backend_.supports(use, format); }

 private:
  void linear(Tensor x, std::span<const Projection> projections) override {
    host_x_.resize(static_cast<std::size_t>(x.rows) * static_cast<std::size_t>(x.columns));
    backend_.download(host_x_.data(), x);
    const Tensor seen{reinterpret_cast<std::byte*>(host_x_.data()), x.type, x.rows, x.columns};
    for (const Projection& projection : projections)
      if (const auto name = names_.find(projection.weight); name != names_.end()) watcher_.product(name->second, seen);
    backend_.ops().linear(x, projections);
  }

  void embed(const Weight& table, std::span<const TokenId> ids, Tensor out) override { backend_.ops().embed(table, ids, out); }
  void rms_norm(Tensor x, const Weight& weight, float eps, Tensor y) override { backend_.ops().rms_norm(x, weight, eps, y); }
  std::unique_ptr<AttentionPlan> plan_attention(std::span<const SequenceRows> sequences, int page_tokens) override {
    return backend_.ops().plan_attention(sequences, page_tokens);
  }
  void rotate_and_store(const AttentionPlan& plan, const RotateArgs& args, const KvPool& pool) override {
    backend_.ops().rotate_and_store(plan, args, pool);
  }
  void attend(const AttentionPlan& plan, const AttendArgs& args, const KvPool& pool) override { backend_.ops().attend(plan, args, pool); }
  void swiglu(Tensor gate, Tensor up, Tensor y) override { backend_.ops().swiglu(gate, up, y); }
  void gather(Tensor x, std::span<const int> rows, Tensor y) override { backend_.ops().gather(x, rows, y); }

  Backend& backend_;
  ProductWatcher& watcher_;
  std::unordered_map<const Weight*, std::string> names_;
  std::vector<float> host_x_;
};

}  // namespace

std::unique_ptr<Backend> watch(Backend& backend, ProductWatcher& watcher) {
  return std::make_unique<Watched>(backend, watcher);
}

}  // namespace qn
