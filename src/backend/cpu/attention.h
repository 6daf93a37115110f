// Attention over pages: rotates and stores keys and values, and attends. All query heads that share a key/value head, and up to eight rows
// of one sequence, go together, so that a chunk of keys and values is decoded once for them.
#pragma once

#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/ops.h"
#include "base/thread_pool.h"

namespace qn::cpu {

struct CpuPlan final : AttentionPlan {
  struct Rows {  // rows [first, first + count) of one sequence
    int sequence;
    int first;
    int count;
  };
  std::vector<SequenceRows> sequences;
  std::vector<Rows> blocks;
};

class Attention {
 public:
  Attention(const KernelTable& kernels, ThreadPool& workers)
      : kernels_(kernels), workers_(workers), scratch_(static_cast<std::size_t>(workers.size())) {}

  static std::unique_ptr<CpuPlan> plan(std::span<const SequenceRows> sequences);
  void rotate_and_store(const CpuPlan& plan, const RotateArgs& args, const KvPool& pool);
  void attend(const CpuPlan& plan, const AttendArgs& args, const KvPool& pool);

 private:
  struct Scratch {                       // one worker's
    std::vector<float> keys, values;     // [64, stride]
    std::vector<float> queries, sums;    // [rows * heads of the group, stride]
    std::vector<float> largest, weight;  // [rows * heads of the group]
    std::vector<float> chunk_sum;        // [stride]
  };

  void turn_heads(float* x, int heads, const Weight* norm, const RotateArgs& args, int row, int head) const;
  void attend_block(const SequenceRows& sequence, const CpuPlan::Rows& rows, int kv_head, const AttendArgs& args, const KvPool& pool,
                    Scratch& scratch) const;
  void decode_chunk(const SequenceRows& sequence, int kv_head, int begin, int end, const KvPool& pool, int stride, Scratch& scratch) const;

  const KernelTable& kernels_;
  ThreadPool& workers_;
  std::vector<Scratch> scratch_;
};

}  // namespace qn::cpu
