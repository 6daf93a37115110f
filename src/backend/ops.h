// Ops: what a transformer needs of a device, fused and whole-batch. Calls are ordered: later calls see earlier results. On a CPU the
// work is done on return; elsewhere it is enqueued.
//
// Letters: T tokens in this step, D model width, H query heads, K key/value heads, head size of one head, F feed-forward width,
// V vocabulary. Activations are f32 on CPUs. Every op computes each token's result from that token alone (attend: and its own
// sequence), in an order fixed by backend/ref, so the batch around it can never change a bit.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/tensor.h"
#include "base/ids.h"
#include "quant/format.h"

namespace qn {

// A matrix or vector of the model on one device, in whatever layout that backend likes. Owned by the model, made by Backend::adopt.
class Weight {
 public:
  virtual ~Weight() = default;
  int rows = 0;               // outputs of a product
  int columns = 0;            // inputs of a product
  bool borrows_file = false;  // still reads the file's bytes (a map that must stay warm)
};

// One product of linear(): y = w x (+ bias) (+ residual). Several share x, which is then quantized once.
struct Projection {
  const Weight* weight;              // [N, M]
  const Weight* bias = nullptr;      // [N] f32, or none
  const Tensor* residual = nullptr;  // [T, N], added last; may be y itself
  Tensor y;                          // [T, N]
};

enum class RopeLayout {
  halves,       // pairs (i, i + n/2): Hugging Face, and GGUF for every architecture but llama
  interleaved,  // pairs (2i, 2i + 1): GGUF llama
};

// cos and sin of this step's tokens, made on the host once a step and uploaded (model/rope).
struct RopeTable {
  RopeLayout layout = RopeLayout::halves;
  int rotated = 0;  // components of a head that rotate, even; the rest pass
  Tensor cos_sin;   // [T, rotated]: cos of pair i in column i, sin in column rotated/2 + i
};

// One layer's keys and values: a pool of pages. In a page: [K][page_tokens][head], encoded as the formats say.
struct KvPool {
  std::byte* keys = nullptr;
  std::byte* values = nullptr;
  const quant::Format* key_format = nullptr;
  const quant::Format* value_format = nullptr;
  int pages = 0;
  int page_tokens = 0;
  int kv_heads = 0;
  int head = 0;

  std::size_t key_page_bytes() const { return static_cast<std::size_t>(kv_heads * page_tokens) * key_format->row_bytes(head); }
  std::size_t value_page_bytes() const { return static_cast<std::size_t>(kv_heads * page_tokens) * value_format->row_bytes(head); }
};

// Which rows of the step belong to which sequence, and where its pages are.
struct SequenceRows {
  int first_row;  // rows [first_row, first_row + rows) of the step
  int rows;
  int first_position;             // row first_row + i stands at first_position + i
  std::span<const PageId> pages;  // borrowed; holds at least until the step has been waited for
};

// Made on the host once a step; every layer uses it.
class AttentionPlan {
 public:
  virtual ~AttentionPlan() = default;
};

struct RotateArgs {
  Tensor q;                        // [T, H * head], changed in place
  Tensor k, v;                     // [T, K * head]; k is rotated, then both are written to the pool
  const Weight* q_norm = nullptr;  // [head] RMSNorm of each head before rotation, or none
  const Weight* k_norm = nullptr;
  float norm_eps = 0;
  const RopeTable* rope = nullptr;  // none: no rotation
};

struct AttendArgs {
  Tensor q;         // [T, H * head]
  Tensor out;       // [T, H * head]
  float scale = 0;  // of the scores, 1 / sqrt(head) in most models
  int window = 0;   // a key at p is seen from q iff p <= q and q - p < window; 0: no window
};

class Ops {
 public:
  virtual ~Ops() = default;

  // out[t] = row ids[t] of table [V, D], as floats. ids are in [0, V).
  virtual void embed(const Weight& table, std::span<const TokenId> ids, Tensor out) = 0;
  // y = x / sqrt(mean(x^2) + eps) * weight, for each row; x and y may be one tensor.  source: RMSNorm, arXiv:1910.07467
  virtual void rms_norm(Tensor x, const Weight& weight, float eps, Tensor y) = 0;
  // Each projection of the same x [T, M].
  virtual void linear(Tensor x, std::span<const Projection> projections) = 0;
  // Tables for this step's rows over pools with this page size.
  virtual std::unique_ptr<AttentionPlan> plan_attention(std::span<const SequenceRows> sequences, int page_tokens) = 0;
  // q and k: norm (if any), rotate; then write k and v to their positions in the pool.
  virtual void rotate_and_store(const AttentionPlan& plan, const RotateArgs& args, const KvPool& pool) = 0;
  // Causal attention of q over the pool, head h reading key/value head h * K / H.
  virtual void attend(const AttentionPlan& plan, const AttendArgs& args, const KvPool& pool) = 0;
  // y = silu(gate) * up, elementwise; y may be gate.
  virtual void swiglu(Tensor gate, Tensor up, Tensor y) = 0;
  // y[i] = x[rows[i]].
  virtual void gather(Tensor x, std::span<const int> rows, Tensor y) = 0;
};

}  // namespace qn
