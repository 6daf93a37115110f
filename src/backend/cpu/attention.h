// Attention over pages: rotates and stores keys and values, and attends. All query heads that share a key/value head, and several rows of
// one sequence, go together, so that a chunk of keys and values is read and decoded once for them. Where there are fewer such blocks than
// threads want, the chunks of a block are shared out as well; their results are merged in ascending order all the same.
#pragma once

#include <atomic>
#include <deque>
#include <new>
#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/ops.h"
#include "base/thread_pool.h"

namespace qn::cpu {

struct CpuPlan final : AttentionPlan {
  struct Row {
    int sequence;
    int row_in_sequence;
  };
  std::vector<SequenceRows> sequences;
  std::vector<Row> rows;  // of all sequences
};

// Scratch floats from the start of a cache line on: a vector that straddles two is loaded at half the speed.
class LineFloats {
 public:
  float* at_least(std::size_t count);  // what was there before is lost where it grows

 private:
  struct Free {
    void operator()(float* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

class Attention {
 public:
  Attention(const KernelTable& kernels, ThreadPool& workers)
      : kernels_(kernels), workers_(workers), scratch_(static_cast<std::size_t>(workers.size())) {}

  static std::unique_ptr<CpuPlan> plan(std::span<const SequenceRows> sequences);
  void rotate_and_store(const CpuPlan& plan, const RotateArgs& args, const KvPool& pool);
  void attend(const CpuPlan& plan, const AttendArgs& args, const KvPool& pool);

 private:
  // The heads of one key/value head in rows [first_row, first_row + rows) of one sequence. Query i * group + h is head h of row i.
  struct Block {
    const SequenceRows* sequence;
    int first_row, rows;
    int kv_head, first_head, group;
    int window;

    int queries() const { return rows * group; }
    int position(int row) const { return sequence->first_position + first_row + row; }
    int first_key(int row) const;
    int first_chunk() const { return first_key(0) / chunk_keys; }
    int end_chunk() const { return position(rows - 1) / chunk_keys + 1; }
    int cost() const { return (end_chunk() - first_chunk()) * queries(); }
  };
  // A block whose chunks are taken by several tasks: each leaves its partial results, the last one to finish merges them.
  struct Split {
    LineFloats parts;          // [chunks, part_floats(queries)]
    std::atomic<int> left{0};  // tasks not finished
  };
  struct Task {
    Block block;
    int first_chunk, end_chunk;
    Split* split;  // null: all chunks are this task's
  };
  struct Running {  // one worker's storage behind a Partial
    LineFloats floats;
    Partial make(int queries, int stride);
  };
  struct Scratch {  // one worker's
    LineFloats query, packed, decoded, score;
    std::vector<int> begin, end;
    CachedRows keys, values;
    Running all, part;
  };

  void turn_heads(float* x, int heads, const Weight* norm, const RotateArgs& args, int row, int head) const;
  void make_tasks(const CpuPlan& plan, const AttendArgs& args, const KvPool& pool);
  void run(const Task& task, const AttendArgs& args, const KvPool& pool, Scratch& scratch) const;
  void attend_chunk(const Block& block, int chunk, bool last, const AttendArgs& args, const KvPool& pool, const Partial& out,
                    Scratch& scratch) const;
  void absorb(const Block& block, int chunk, int stride, const Partial& part, const Partial& all) const;
  void finish(const Block& block, const AttendArgs& args, int head, int stride, const Partial& all) const;

  const KernelTable& kernels_;
  ThreadPool& workers_;
  std::vector<Scratch> scratch_;
  std::vector<Task> tasks_;
  std::deque<Split> splits_;  // kept from call to call for their memory
  std::size_t splits_used_ = 0;
};

}  // namespace qn::cpu
