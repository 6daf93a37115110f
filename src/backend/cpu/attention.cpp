#include "backend/cpu/attention.h"

#include <algorithm>
#include <cstring>

#include "backend/cpu/weight.h"

namespace qn::cpu {
namespace {

constexpr int chunk_keys = 64;        // as in backend/ref/attention.h: part of the promise
constexpr int rows_at_once = 8;       // of one sequence
constexpr int rows_for_a_thread = 4;  // fewer are rotated and stored by the caller alone

int padded(int head) {
  return (head + 15) / 16 * 16;
}

int first_key(int position, int window) {
  return window > 0 && position >= window ? position - window + 1 : 0;
}

// Byte offset of one head at one position, in a pool whose pages have `page_bytes`.
std::size_t offset_of(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position, std::size_t page_bytes,
                      std::size_t row_bytes) {
  const std::size_t page = pages[static_cast<std::size_t>(position / pool.page_tokens)].value;
  return page * page_bytes + static_cast<std::size_t>(kv_head * pool.page_tokens + position % pool.page_tokens) * row_bytes;
}

void encode(const quant::Format& format, const float* values, int count, std::byte* to) {
  format.quantize(values, nullptr, to, static_cast<std::size_t>(count / format.block_weights));
}

}  // namespace

std::unique_ptr<CpuPlan> Attention::plan(std::span<const SequenceRows> sequences) {
  auto plan = std::make_unique<CpuPlan>();
  plan->sequences.assign(sequences.begin(), sequences.end());
  for (std::size_t s = 0; s < sequences.size(); ++s)
    for (int first = 0; first < sequences[s].rows; first += rows_at_once)
      plan->blocks.push_back({static_cast<int>(s), first, std::min(rows_at_once, sequences[s].rows - first)});
  return plan;
}

void Attention::turn_heads(float* x, int heads, const Weight* norm, const RotateArgs& args, int row, int head) const {
  for (int h = 0; h < heads; ++h, x += head) {
    if (norm != nullptr) kernels_.normalize(x, vector_of(*norm, head), args.norm_eps, head, x);
    if (args.rope == nullptr) continue;
    const int pairs = args.rope->rotated / 2;
    const bool halves = args.rope->layout == RopeLayout::halves;
    kernels_.rotate(x, pairs, halves ? 1 : 2, halves ? pairs : 1, args.rope->cos_sin.row(row));
  }
}

void Attention::rotate_and_store(const CpuPlan& plan, const RotateArgs& args, const KvPool& pool) {
  const std::size_t key_bytes = pool.key_format->row_bytes(pool.head), value_bytes = pool.value_format->row_bytes(pool.head);
  const std::size_t key_page = pool.key_page_bytes(), value_page = pool.value_page_bytes();
  const int grain = (rows_for_a_thread + rows_at_once - 1) / rows_at_once;
  workers_.for_parts(static_cast<int>(plan.blocks.size()), grain, [&](int, int begin, int end) {
    for (int b = begin; b < end; ++b) {
      const CpuPlan::Rows& rows = plan.blocks[static_cast<std::size_t>(b)];
      const SequenceRows& sequence = plan.sequences[static_cast<std::size_t>(rows.sequence)];
      for (int i = rows.first; i < rows.first + rows.count; ++i) {
        const int row = sequence.first_row + i, position = sequence.first_position + i;
        turn_heads(args.q.row(row), args.q.columns / pool.head, args.q_norm, args, row, pool.head);
        turn_heads(args.k.row(row), pool.kv_heads, args.k_norm, args, row, pool.head);
        for (int h = 0; h < pool.kv_heads; ++h) {
          encode(*pool.key_format, args.k.row(row) + h * pool.head, pool.head,
                 pool.keys + offset_of(pool, sequence.pages, h, position, key_page, key_bytes));
          encode(*pool.value_format, args.v.row(row) + h * pool.head, pool.head,
                 pool.values + offset_of(pool, sequence.pages, h, position, value_page, value_bytes));
        }
      }
    }
  });
}

// Keys and values at positions [begin, end) of one chunk, as floats, to rows position % 64 of the scratch.
void Attention::decode_chunk(const SequenceRows& sequence, int kv_head, int begin, int end, const KvPool& pool, int stride,
                             Scratch& scratch) const {
  const auto decode = [&](const quant::Format& format, const std::byte* from, std::size_t page_bytes, float* to) {
    const std::size_t row_bytes = format.row_bytes(pool.head);
    const Layout layout = layout_of(format);
    for (int position = begin; position < end; ++position) {
      const std::byte* at = from + offset_of(pool, sequence.pages, kv_head, position, page_bytes, row_bytes);
      float* row = to + static_cast<std::ptrdiff_t>(position % chunk_keys) * stride;
      if (is_plain(layout)) {
        kernels_.decode(layout, at, row, pool.head);
      } else {
        format.dequantize(at, row, static_cast<std::size_t>(pool.head / format.block_weights));
      }
      std::fill(row + pool.head, row + stride, 0.0f);
    }
  };
  decode(*pool.key_format, pool.keys, pool.key_page_bytes(), scratch.keys.data());
  decode(*pool.value_format, pool.values, pool.value_page_bytes(), scratch.values.data());
}

void Attention::attend_block(const SequenceRows& sequence, const CpuPlan::Rows& rows, int kv_head, const AttendArgs& args,
                             const KvPool& pool, Scratch& scratch) const {
  const int heads = args.q.columns / pool.head;
  const int stride = padded(pool.head);
  // heads h with h * K / H == kv_head
  const int first_head = (kv_head * heads + pool.kv_heads - 1) / pool.kv_heads;
  const int end_head = ((kv_head + 1) * heads + pool.kv_heads - 1) / pool.kv_heads;
  const int group = end_head - first_head;
  const std::size_t states = static_cast<std::size_t>(rows.count * group);
  scratch.keys.resize(static_cast<std::size_t>(chunk_keys * stride));
  scratch.values.resize(static_cast<std::size_t>(chunk_keys * stride));
  scratch.queries.assign(states * static_cast<std::size_t>(stride), 0.0f);
  scratch.sums.resize(states * static_cast<std::size_t>(stride));
  scratch.largest.resize(states);
  scratch.weight.resize(states);
  scratch.chunk_sum.resize(static_cast<std::size_t>(stride));
  for (int i = 0; i < rows.count; ++i)
    for (int h = 0; h < group; ++h)
      std::memcpy(scratch.queries.data() + (i * group + h) * stride,
                  args.q.row(sequence.first_row + rows.first + i) + (first_head + h) * pool.head,
                  static_cast<std::size_t>(pool.head) * sizeof(float));

  const int first_position = sequence.first_position + rows.first;
  const int first = first_key(first_position, args.window);
  const int last = first_position + rows.count - 1;
  for (int chunk = first / chunk_keys * chunk_keys; chunk <= last; chunk += chunk_keys) {
    decode_chunk(sequence, kv_head, std::max(first, chunk), std::min(last + 1, chunk + chunk_keys), pool, stride, scratch);
    for (int i = 0; i < rows.count; ++i) {
      const int position = first_position + i, row_first = first_key(position, args.window);
      const int begin = std::max(row_first, chunk), end = std::min(position + 1, chunk + chunk_keys);
      if (begin >= end) continue;
      for (int h = 0; h < group; ++h) {
        const int state = i * group + h;
        kernels_.attend_chunk({scratch.queries.data() + state * stride, scratch.keys.data(), scratch.values.data(), pool.head, stride,
                               begin - chunk, end - chunk, args.scale, begin == row_first,
                               &scratch.largest[static_cast<std::size_t>(state)], &scratch.weight[static_cast<std::size_t>(state)],
                               scratch.sums.data() + state * stride, scratch.chunk_sum.data()});
      }
    }
  }
  for (int i = 0; i < rows.count; ++i)
    for (int h = 0; h < group; ++h)
      kernels_.attend_finish(scratch.sums.data() + (i * group + h) * stride, scratch.weight[static_cast<std::size_t>(i * group + h)],
                             pool.head, args.out.row(sequence.first_row + rows.first + i) + (first_head + h) * pool.head);
}

void Attention::attend(const CpuPlan& plan, const AttendArgs& args, const KvPool& pool) {
  const int tasks = static_cast<int>(plan.blocks.size()) * pool.kv_heads;
  workers_.for_parts(tasks, 1, [&](int worker, int begin, int end) {
    for (int task = begin; task < end; ++task) {
      const CpuPlan::Rows& rows = plan.blocks[static_cast<std::size_t>(task / pool.kv_heads)];
      attend_block(plan.sequences[static_cast<std::size_t>(rows.sequence)], rows, task % pool.kv_heads, args, pool,
                   scratch_[static_cast<std::size_t>(worker)]);
    }
  });
}

}  // namespace qn::cpu
