#include "backend/ref/ref_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "backend/host_memory.h"
#include "backend/ref/arithmetic.h"
#include "backend/ref/attention.h"
#include "backend/ref/linear.h"
#include "base/cpu_features.h"

namespace qn {
namespace {

struct RefWeight final : Weight {
  quant::EncodedTensor tensor;  // points into the file's map
  std::vector<float> values;    // of a vector (Use::vector), decoded
};

const RefWeight& of(const Weight& weight) {
  return static_cast<const RefWeight&>(weight);
}

const float* vector_of(const Weight& weight, int count) {
  const RefWeight& mine = of(weight);
  QN_CHECK(mine.values.size() == static_cast<std::size_t>(count), "a vector has one value for each column");
  return mine.values.data();
}

struct RefPlan final : AttentionPlan {
  std::vector<SequenceRows> sequences;
};

const std::vector<SequenceRows>& sequences_of(const AttentionPlan& plan) {
  return static_cast<const RefPlan&>(plan).sequences;
}

void normalize(const float* x, const float* weight, float eps, int count, float* y) {
  const float scale = 1.0f / std::sqrt(ref::dot(x, x, count) / static_cast<float>(count) + eps);
  for (int i = 0; i < count; ++i) y[i] = x[i] * scale * weight[i];
}

class RefOps final : public Ops {
 public:
  void embed(const Weight& table, std::span<const TokenId> ids, Tensor out) override {
    flush_denormals();
    QN_CHECK(out.rows == static_cast<int>(ids.size()) && out.columns == table.columns, "embed: one row for each id");
    for (int t = 0; t < out.rows; ++t) ref::decode_row(of(table).tensor, ids[static_cast<std::size_t>(t)], out.row(t));
  }

  void rms_norm(Tensor x, const Weight& weight, float eps, Tensor y) override {
    flush_denormals();
    const float* w = vector_of(weight, x.columns);
    QN_CHECK(x.rows == y.rows && x.columns == y.columns, "rms_norm: shapes agree");
    for (int t = 0; t < x.rows; ++t) normalize(x.row(t), w, eps, x.columns, y.row(t));
  }

  void linear(Tensor x, std::span<const Projection> projections) override {
    flush_denormals();
    for (const Projection& projection : projections) {
      QN_CHECK(projection.weight->columns == x.columns && projection.weight->rows == projection.y.columns && x.rows == projection.y.rows,
               "linear: shapes agree");
      for (int t = 0; t < x.rows; ++t) project(projection, x, t);
    }
  }

  std::unique_ptr<AttentionPlan> plan_attention(std::span<const SequenceRows> sequences, int) override {
    auto plan = std::make_unique<RefPlan>();
    plan->sequences.assign(sequences.begin(), sequences.end());
    return plan;
  }

  void rotate_and_store(const AttentionPlan& plan, const RotateArgs& args, const KvPool& pool) override {
    flush_denormals();
    for (const SequenceRows& sequence : sequences_of(plan)) {
      for (int i = 0; i < sequence.rows; ++i) {
        const int row = sequence.first_row + i;
        turn_heads(args.q.row(row), args.q.columns / pool.head, args.q_norm, args, row, pool.head);
        turn_heads(args.k.row(row), pool.kv_heads, args.k_norm, args, row, pool.head);
        store(args, row, sequence, sequence.first_position + i, pool);
      }
    }
  }

  void attend(const AttentionPlan& plan, const AttendArgs& args, const KvPool& pool) override {
    flush_denormals();
    const int heads = args.q.columns / pool.head;
    for (const SequenceRows& sequence : sequences_of(plan))
      for (int i = 0; i < sequence.rows; ++i)
        for (int h = 0; h < heads; ++h) {
          const int row = sequence.first_row + i;
          ref::attend(pool, sequence.pages, h * pool.kv_heads / heads, sequence.first_position + i, args.q.row(row) + h * pool.head,
                      args.scale, args.window, args.out.row(row) + h * pool.head);
        }
  }

  void swiglu(Tensor gate, Tensor up, Tensor y) override {
    flush_denormals();
    QN_CHECK(gate.rows == up.rows && gate.columns == up.columns && y.rows == up.rows && y.columns == up.columns, "swiglu: shapes agree");
    for (int t = 0; t < y.rows; ++t)
      for (int i = 0; i < y.columns; ++i) y.row(t)[i] = ref::silu(gate.row(t)[i]) * up.row(t)[i];
  }

  void gather(Tensor x, std::span<const int> rows, Tensor y) override {
    QN_CHECK(y.rows == static_cast<int>(rows.size()) && x.columns == y.columns, "gather: one row for each index");
    for (int i = 0; i < y.rows; ++i)
      std::memcpy(y.row(i), x.row(rows[static_cast<std::size_t>(i)]), static_cast<std::size_t>(x.columns) * sizeof(float));
  }

 private:
  static void project(const Projection& projection, Tensor x, int t) {
    const RefWeight& weight = of(*projection.weight);
    const std::span<const float> input(x.row(t), static_cast<std::size_t>(x.columns));
    const bool plain = weight.tensor.format->kind == quant::Kind::plain;
    const ref::QuantizedRow codes = plain ? ref::QuantizedRow{} : ref::quantize_row(input, weight.tensor.format->block_weights);
    for (int r = 0; r < weight.rows; ++r) {
      float value = plain ? ref::dot_plain(weight.tensor, r, input) : ref::dot_quantized(weight.tensor, r, codes);
      if (projection.bias != nullptr) value += vector_of(*projection.bias, weight.rows)[r];
      if (projection.residual != nullptr) value += projection.residual->row(t)[r];
      projection.y.row(t)[r] = value;
    }
  }

  static void turn_heads(float* x, int heads, const Weight* norm, const RotateArgs& args, int row, int head) {
    for (int h = 0; h < heads; ++h, x += head) {
      if (norm != nullptr) normalize(x, vector_of(*norm, head), args.norm_eps, head, x);
      if (args.rope != nullptr) ref::rotate(x, args.rope->layout, args.rope->rotated, args.rope->cos_sin.row(row));
    }
  }

  static void store(const RotateArgs& args, int row, const SequenceRows& sequence, int position, const KvPool& pool) {
    for (int h = 0; h < pool.kv_heads; ++h) {
      pool.key_format->quantize(args.k.row(row) + h * pool.head, nullptr,
                                const_cast<std::byte*>(ref::key_at(pool, sequence.pages, h, position)),
                                static_cast<std::size_t>(pool.head / pool.key_format->block_weights));
      pool.value_format->quantize(args.v.row(row) + h * pool.head, nullptr,
                                  const_cast<std::byte*>(ref::value_at(pool, sequence.pages, h, position)),
                                  static_cast<std::size_t>(pool.head / pool.value_format->block_weights));
    }
  }
};

class RefBackend final : public Backend {
 public:
  DeviceInfo info() const override { return host_info("ref"); }
  Ops& ops() override { return ops_; }
  Result<std::unique_ptr<Buffer>> allocate(std::size_t bytes) override { return allocate_host(bytes); }

  Result<std::unique_ptr<Weight>> adopt(const quant::EncodedTensor& tensor, Use use) override {
    if (Status status = check_adoptable(tensor); !status) return tl::unexpected(status.error());
    flush_denormals();
    auto weight = std::make_unique<RefWeight>();
    weight->rows = static_cast<int>(tensor.rows);
    weight->columns = static_cast<int>(tensor.columns);
    weight->tensor = tensor;
    if (use == Use::vector) weight->values = decode_vector(tensor);
    weight->borrows_file = use != Use::vector;
    return weight;
  }

  void upload(Tensor to, const void* from) override { std::memcpy(to.data, from, to.bytes()); }
  void download(void* to, Tensor from) override { std::memcpy(to, from.data, from.bytes()); }
  void wait() override {}
  void replay(std::uint64_t, const std::function<void()>& fn) override { fn(); }
  bool supports(Use, const quant::Format& format) const override { return format.dequantize != nullptr; }

 private:
  RefOps ops_;
};

}  // namespace

std::unique_ptr<Backend> make_ref_backend() {
  return std::make_unique<RefBackend>();
}

}  // namespace qn
