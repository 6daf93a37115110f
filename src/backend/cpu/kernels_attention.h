// One chunk of attention for one head: the slow twin is backend/ref/attention.cpp. Included once by each kernels_<isa>.cpp.
#pragma once

#include "backend/cpu/kernels.h"

namespace qn::cpu {
namespace {

constexpr int chunk_keys = 64;

// score[j] for the keys of [begin, end), sixteen at a time; -infinity for the others. Returns the largest.
QN_FORCE_INLINE float chunk_scores(const ChunkJob& job, float (&score)[chunk_keys]) {
  const Floats scale = set(job.scale);
  Floats largest = set(-__builtin_inff());
  for (int tile = 0; tile < chunk_keys; tile += 16) {
    if (tile + 16 <= job.begin || tile >= job.end) {
      store(score + tile, set(-__builtin_inff()));
      continue;
    }
    Floats sums[16];
    QN_UNROLL for (int j = 0; j < 16; ++j) sums[j] = set(0.0f);
    const float* key = job.keys + static_cast<std::ptrdiff_t>(tile) * job.stride;
    for (int d = 0; d < job.stride; d += 16) {
      const Floats q = load(job.query + d);
      QN_UNROLL for (int j = 0; j < 16; ++j) sums[j] = fma(q, load(key + static_cast<std::ptrdiff_t>(j) * job.stride + d), sums[j]);
    }
    const Floats seen = where_between(job.begin - tile, job.end - tile, mul(scale, fold_each(sums)), -__builtin_inff());
    store(score + tile, seen);
    largest = larger(seen, largest);
  }
  return fold_larger(largest);
}

// sum[d] = weights . values over the keys of [begin, end), in ascending order; up to `vectors` vectors of d from `d` on.
template <int vectors>
QN_FORCE_INLINE void weighted_values(const ChunkJob& job, const float* weight, int d, float* sum) {
  Floats acc[vectors];
  QN_UNROLL for (int i = 0; i < vectors; ++i) acc[i] = set(0.0f);
  for (int j = job.begin; j < job.end; ++j) {
    const Floats w = set(weight[j]);
    const float* value = job.values + static_cast<std::ptrdiff_t>(j) * job.stride + d;
    QN_UNROLL for (int i = 0; i < vectors; ++i) acc[i] = fma(w, load(value + 16 * i), acc[i]);
  }
  QN_UNROLL for (int i = 0; i < vectors; ++i) store(sum + d + 16 * i, acc[i]);
}

void attend_chunk(const ChunkJob& job) {
  float score[chunk_keys];
  const float chunk_largest = chunk_scores(job, score);
  Floats lanes = set(0.0f);
  for (int tile = 0; tile < chunk_keys; tile += 16) {
    if (tile + 16 <= job.begin || tile >= job.end) continue;
    Floats p = exp_of(sub(load(score + tile), set(chunk_largest)));
    p = where_between(job.begin - tile, job.end - tile, p, 0.0f);
    store(score + tile, p);
    lanes = add(lanes, p);
  }
  const float chunk_weight = fold(lanes);

  float* sum = job.first ? job.sum : job.scratch;
  int d = 0;
  for (; d + 128 <= job.stride; d += 128) weighted_values<8>(job, score, d, sum);
  for (; d + 64 <= job.stride; d += 64) weighted_values<4>(job, score, d, sum);
  for (; d < job.stride; d += 16) weighted_values<1>(job, score, d, sum);
  if (job.first) {
    *job.largest = chunk_largest;
    *job.weight = chunk_weight;
    return;
  }
  const float both = chunk_largest > *job.largest ? chunk_largest : *job.largest;
  float factors[16] = {*job.largest - both, chunk_largest - both};
  store(factors, exp_of(load(factors)));
  const Floats keep = set(factors[0]), gain = set(factors[1]);
  *job.largest = both;
  *job.weight = __builtin_fmaf(*job.weight, factors[0], chunk_weight * factors[1]);
  for (int i = 0; i < job.stride; i += 16) store(job.sum + i, fma(load(job.sum + i), keep, mul(load(sum + i), gain)));
}

void attend_finish(const float* sum, float weight, int head, float* out) {
  const Floats inverse = set(1.0f / weight);
  for (int d = 0; d < head; d += 16) store_first(out + d, mul(load(sum + d), inverse), head - d);
}

}  // namespace
}  // namespace qn::cpu
