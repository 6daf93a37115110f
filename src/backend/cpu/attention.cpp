#include "backend/cpu/attention.h"

#include <algorithm>

#include "backend/cpu/weight.h"

namespace qn::cpu {
namespace {

constexpr int queries_at_once = 96;                          // of one block, if rows suffice
constexpr int tasks_for_a_thread = 4;                        // fewer: blocks are made smaller, then split
constexpr int rows_for_a_thread = 4;                         // fewer are rotated and stored by the caller alone
constexpr int bytes_ahead = 12288;                           // of keys or values that are fetched before they are read
constexpr int rows_ahead = 128;                              // at most
constexpr std::size_t largest_split = std::size_t{1} << 24;  // floats of partial results

int padded(int head) {
  return (head + 15) / 16 * 16;
}

// Calls body(j, address) for the rows of one head at the positions chunk + j, j in [begin, end).
template <class Body>
void for_rows(const std::byte* data, std::size_t page_bytes, std::size_t row_bytes, const KvPool& pool, std::span<const PageId> pages,
              int kv_head, int chunk, int begin, int end, const Body& body) {
  for (int j = begin; j < end;) {
    const int page = (chunk + j) / pool.page_tokens, slot = (chunk + j) % pool.page_tokens;
    const int count = std::min(end - j, pool.page_tokens - slot);
    const std::byte* row = data + pages[static_cast<std::size_t>(page)].value * page_bytes +
                           static_cast<std::size_t>(kv_head * pool.page_tokens + slot) * row_bytes;
    for (int i = 0; i < count; ++i, ++j, row += row_bytes) body(j, row);
  }
}

// The results of some queries for one chunk; all three arrays begin a cache line.
std::size_t part_floats(int queries, int stride) {
  return static_cast<std::size_t>(queries * stride + 2 * padded(queries));
}

Partial partial_at(float* floats, int queries) {
  return {floats, floats + padded(queries), floats + 2 * padded(queries)};
}

// The addresses beside the rows [begin, end): those that fill up sixteen, and those to fetch early. After the last row comes `next`.
void complete(CachedRows& rows, int begin, int end, const std::byte* const* next, int next_rows) {
  std::fill(rows.at + begin / 16 * 16, rows.at + begin, rows.at[begin]);
  std::fill(rows.at + end, rows.at + (end + 15) / 16 * 16, rows.at[end - 1]);
  const int ahead = std::clamp(bytes_ahead / rows.bytes, 4, rows_ahead);
  const int own = std::max(begin, end - ahead);
  std::copy(rows.at + begin + std::min(ahead, end - begin), rows.at + end, rows.soon + begin);
  for (int j = own; j < chunk_keys; ++j) rows.soon[j] = next_rows > 0 ? next[std::min(j - own, next_rows - 1)] : rows.at[end - 1];
  std::fill(rows.soon + begin / 16 * 16, rows.soon + begin, rows.at[begin]);
}

RowType row_type(const quant::Format& format) {
  static constexpr struct {
    std::string_view name;
    RowType type;
  } known[] = {{"F32", RowType::f32},   {"F16", RowType::f16},   {"BF16", RowType::bf16},
               {"Q8_0", RowType::q8_0}, {"Q4_0", RowType::q4_0}, {"Q4_1", RowType::q4_1},
               {"Q5_0", RowType::q5_0}, {"Q5_1", RowType::q5_1}, {"IQ4_NL", RowType::iq4_nl}};
  for (const auto& [name, type] : known)
    if (format.name == name) return type;
  return RowType::other;
}

void describe(CachedRows& rows, const quant::Format& format, int head) {
  rows.type = row_type(format);
  rows.dequantize = format.dequantize;
  rows.blocks = head / format.block_weights;
  rows.bytes = static_cast<int>(format.row_bytes(head));
}

void encode(const quant::Format& format, const float* values, int count, std::byte* to) {
  format.quantize(values, nullptr, to, static_cast<std::size_t>(count / format.block_weights));
}

}  // namespace

int Attention::Block::first_key(int row) const {
  return window > 0 && position(row) >= window ? position(row) - window + 1 : 0;
}

float* LineFloats::at_least(std::size_t count) {
  if (count > size_) {
    data_.reset();
    data_.reset(static_cast<float*>(::operator new (count * sizeof(float), std::align_val_t{64})));
    std::fill(data_.get(), data_.get() + count, 0.0f);
    size_ = count;
  }
  return data_.get();
}

Partial Attention::Running::make(int queries, int stride) {
  return partial_at(floats.at_least(part_floats(queries, stride)), queries);
}

std::unique_ptr<CpuPlan> Attention::plan(std::span<const SequenceRows> sequences) {
  auto plan = std::make_unique<CpuPlan>();
  plan->sequences.assign(sequences.begin(), sequences.end());
  for (int s = 0; s < static_cast<int>(sequences.size()); ++s)
    for (int i = 0; i < sequences[static_cast<std::size_t>(s)].rows; ++i) plan->rows.push_back({s, i});
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
  workers_.for_parts(static_cast<int>(plan.rows.size()), rows_for_a_thread, [&](int, int begin, int end) {
    for (int r = begin; r < end; ++r) {
      const CpuPlan::Row at = plan.rows[static_cast<std::size_t>(r)];
      const SequenceRows& sequence = plan.sequences[static_cast<std::size_t>(at.sequence)];
      const int row = sequence.first_row + at.row_in_sequence, position = sequence.first_position + at.row_in_sequence;
      turn_heads(args.q.row(row), args.q.columns / pool.head, args.q_norm, args, row, pool.head);
      turn_heads(args.k.row(row), pool.kv_heads, args.k_norm, args, row, pool.head);
      const std::size_t page = sequence.pages[static_cast<std::size_t>(position / pool.page_tokens)].value;
      for (int h = 0; h < pool.kv_heads; ++h) {
        const std::size_t slot = static_cast<std::size_t>(h * pool.page_tokens + position % pool.page_tokens);
        encode(*pool.key_format, args.k.row(row) + h * pool.head, pool.head, pool.keys + page * pool.key_page_bytes() + slot * key_bytes);
        encode(*pool.value_format, args.v.row(row) + h * pool.head, pool.head,
               pool.values + page * pool.value_page_bytes() + slot * value_bytes);
      }
    }
  });
}

// Blocks in descending order of work where there are several of one sequence: the last to be taken should be small.
void Attention::make_tasks(const CpuPlan& plan, const AttendArgs& args, const KvPool& pool) {
  const int heads = args.q.columns / pool.head, threads = workers_.size(), wanted = threads == 1 ? 1 : threads * tasks_for_a_thread;
  const int largest_group = (heads + pool.kv_heads - 1) / pool.kv_heads;
  int total_rows = 0;
  for (const SequenceRows& sequence : plan.sequences) total_rows += sequence.rows;
  int rows_at_once = std::max(1, queries_at_once / largest_group);
  while (rows_at_once > 1 && total_rows / rows_at_once * pool.kv_heads < wanted) rows_at_once /= 2;

  tasks_.clear();
  std::int64_t total_cost = 0;
  for (const SequenceRows& sequence : plan.sequences)
    for (int end = sequence.rows; end > 0; end -= std::min(rows_at_once, end))
      for (int kv_head = 0; kv_head < pool.kv_heads; ++kv_head) {
        // heads h with h * K / H == kv_head
        const int first_head = (kv_head * heads + pool.kv_heads - 1) / pool.kv_heads;
        const int end_head = ((kv_head + 1) * heads + pool.kv_heads - 1) / pool.kv_heads;
        if (first_head == end_head) continue;
        const int rows = std::min(rows_at_once, end);
        const Block block{&sequence, end - rows, rows, kv_head, first_head, end_head - first_head, args.window};
        tasks_.push_back({block, block.first_chunk(), block.end_chunk(), nullptr});
        total_cost += block.cost();
      }

  splits_used_ = 0;
  if (threads == 1) return;
  const std::int64_t fair = std::max<std::int64_t>(1, total_cost / wanted);
  const std::size_t whole = tasks_.size();
  for (std::size_t t = 0; t < whole; ++t) {
    const Block block = tasks_[t].block;
    const int first = block.first_chunk(), end = block.end_chunk();
    const int pieces = static_cast<int>(std::min<std::int64_t>(end - first, block.cost() / fair));
    const std::size_t floats = static_cast<std::size_t>(end - first) * part_floats(block.queries(), padded(pool.head));
    if (pieces < 2 || floats > largest_split) continue;
    if (splits_used_ == splits_.size()) splits_.emplace_back();
    Split& split = splits_[splits_used_++];
    split.parts.at_least(floats);
    split.left = pieces;
    for (int piece = 0; piece < pieces; ++piece) {
      const Task task{block, first + (end - first) * piece / pieces, first + (end - first) * (piece + 1) / pieces, &split};
      if (piece == 0) {
        tasks_[t] = task;
      } else {
        tasks_.push_back(task);
      }
    }
  }
}

void Attention::attend_chunk(const Block& block, int chunk, bool last, const AttendArgs& args, const KvPool& pool, const Partial& out,
                             Scratch& scratch) const {
  const int base = chunk * chunk_keys, stride = padded(pool.head);
  scratch.begin.clear();
  scratch.end.clear();
  int first = 0;
  while (block.position(first) < base) ++first;
  for (int row = first; row < block.rows && block.first_key(row) < base + chunk_keys; ++row)
    for (int h = 0; h < block.group; ++h) {
      scratch.begin.push_back(std::max(block.first_key(row) - base, 0));
      scratch.end.push_back(std::min(block.position(row) + 1 - base, chunk_keys));
    }
  const int begin = scratch.begin.front(), end = scratch.end.back();
  const std::span<const PageId> pages = block.sequence->pages;
  const auto keys_of = [&](int from, int b, int e, const auto& body) {
    for_rows(pool.keys, pool.key_page_bytes(), static_cast<std::size_t>(scratch.keys.bytes), pool, pages, block.kv_head, from, b, e, body);
  };
  keys_of(base, begin, end, [&](int j, const std::byte* row) { scratch.keys.at[j] = row; });
  for_rows(pool.values, pool.value_page_bytes(), static_cast<std::size_t>(scratch.values.bytes), pool, pages, block.kv_head, base, begin,
           end, [&](int j, const std::byte* row) { scratch.values.at[j] = row; });
  const std::byte* next[rows_ahead];
  const int next_rows = last ? 0 : std::min(rows_ahead, block.position(block.rows - 1) + 1 - (base + chunk_keys));
  keys_of(base + chunk_keys, 0, next_rows, [&](int j, const std::byte* row) { next[j] = row; });
  complete(scratch.keys, begin, end, scratch.values.at + begin, end - begin);
  complete(scratch.values, begin, end, next, next_rows);

  const int skipped = first * block.group;
  kernels_.attend_chunk({static_cast<int>(scratch.begin.size()),
                         pool.head,
                         stride,
                         scratch.query.at_least(0) + skipped * stride,
                         scratch.begin.data(),
                         scratch.end.data(),
                         &scratch.keys,
                         &scratch.values,
                         args.scale,
                         scratch.packed.at_least(static_cast<std::size_t>(block.queries() * stride)),
                         scratch.decoded.at_least(static_cast<std::size_t>(decoded_rows * stride)),
                         scratch.score.at_least(static_cast<std::size_t>(block.queries() * chunk_keys)),
                         {out.largest + skipped, out.weight + skipped, out.sum + static_cast<std::ptrdiff_t>(skipped) * stride}});
}

// Rows that have seen an earlier chunk merge, the others begin with this one. Both kinds follow one another, in this order.
void Attention::absorb(const Block& block, int chunk, int stride, const Partial& part, const Partial& all) const {
  const int base = chunk * chunk_keys;
  int first = 0;
  while (block.position(first) < base) ++first;
  int fresh = first;
  while (fresh < block.rows && block.first_key(fresh) < base) ++fresh;
  int end = fresh;
  while (end < block.rows && block.first_key(end) < base + chunk_keys) ++end;
  first *= block.group, fresh *= block.group, end *= block.group;
  const auto from = [&](const Partial& p, int q) {
    return Partial{p.largest + q, p.weight + q, p.sum + static_cast<std::ptrdiff_t>(q) * stride};
  };
  if (fresh > first) kernels_.attend_merge(from(all, first), from(part, first), fresh - first, stride);
  std::copy(part.largest + fresh, part.largest + end, all.largest + fresh);
  std::copy(part.weight + fresh, part.weight + end, all.weight + fresh);
  std::copy(from(part, fresh).sum, from(part, end).sum, from(all, fresh).sum);
}

void Attention::finish(const Block& block, const AttendArgs& args, int head, int stride, const Partial& all) const {
  for (int i = 0; i < block.rows; ++i)
    for (int h = 0; h < block.group; ++h) {
      const int q = i * block.group + h;
      kernels_.attend_finish(all.sum + static_cast<std::ptrdiff_t>(q) * stride, all.weight[q], head,
                             args.out.row(block.sequence->first_row + block.first_row + i) + (block.first_head + h) * head);
    }
}

void Attention::run(const Task& task, const AttendArgs& args, const KvPool& pool, Scratch& scratch) const {
  const Block& block = task.block;
  const int queries = block.queries(), stride = padded(pool.head);
  float* query = scratch.query.at_least(static_cast<std::size_t>(queries * stride));
  for (int i = 0; i < block.rows; ++i)
    for (int h = 0; h < block.group; ++h, query += stride) {
      const float* from = args.q.row(block.sequence->first_row + block.first_row + i) + (block.first_head + h) * pool.head;
      std::fill(std::copy(from, from + pool.head, query), query + stride, 0.0f);
    }
  describe(scratch.keys, *pool.key_format, pool.head);
  describe(scratch.values, *pool.value_format, pool.head);

  const Partial all = scratch.all.make(queries, stride);
  const auto part_of = [&](int chunk) {
    if (task.split == nullptr) return scratch.part.make(queries, stride);
    float* parts = task.split->parts.at_least(0);
    return partial_at(parts + static_cast<std::size_t>(chunk - block.first_chunk()) * part_floats(queries, stride), queries);
  };
  for (int chunk = task.first_chunk; chunk < task.end_chunk; ++chunk) {
    const Partial part = part_of(chunk);
    attend_chunk(block, chunk, chunk + 1 == task.end_chunk, args, pool, part, scratch);
    if (task.split == nullptr) absorb(block, chunk, stride, part, all);
  }
  if (task.split != nullptr) {
    if (task.split->left.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    for (int chunk = block.first_chunk(); chunk < block.end_chunk(); ++chunk) absorb(block, chunk, stride, part_of(chunk), all);
  }
  finish(block, args, pool.head, stride, all);
}

void Attention::attend(const CpuPlan& plan, const AttendArgs& args, const KvPool& pool) {
  make_tasks(plan, args, pool);
  workers_.for_parts(static_cast<int>(tasks_.size()), 1, [&](int worker, int begin, int end) {
    for (int task = begin; task < end; ++task)
      run(tasks_[static_cast<std::size_t>(task)], args, pool, scratch_[static_cast<std::size_t>(worker)]);
  });
}

}  // namespace qn::cpu
