// Attention of some queries over one chunk of keys and values: the slow twin is backend/ref/attention.cpp. Included once by each
// kernels_<isa>.cpp.
//
// Several queries and several keys are held in registers, so that each loaded vector serves several of the other kind. One row of queries
// (attend_row) reads keys and values straight from their pages, once; many rows (attend_many) decode some keys to floats that stay in the
// nearest cache while every query meets them. The order of every sum is that of ref: what differs is only who loads what.
#pragma once

#include "backend/cpu/kernels.h"
#include "backend/cpu/kernels_cache.h"

namespace qn::cpu {
namespace {

constexpr int keys_at_once = 16;  // whose scores make one vector

QN_FORCE_INLINE int at_least(int a, int b) {
  return a > b ? a : b;
}
QN_FORCE_INLINE int at_most(int a, int b) {
  return a < b ? a : b;
}
QN_FORCE_INLINE const float* row_of(const float* p, int row, int stride) {
  return p + static_cast<std::ptrdiff_t>(row) * stride;
}
QN_FORCE_INLINE float* row_of(float* p, int row, int stride) {
  return p + static_cast<std::ptrdiff_t>(row) * stride;
}

// body.template operator()<n>(first) for tiles of queries of nearly equal size.
template <class Body>
QN_FORCE_INLINE void for_query_tiles(int queries, const Body& body) {
  const int tiles = (queries + query_tile - 1) / query_tile;
  for (int t = 0, first = 0; t < tiles; ++t) {
    const int n = (queries - first + tiles - t - 1) / (tiles - t);
    if constexpr (query_tile >= 6) {
      if (n == 6) body.template operator()<6>(first);
      if (n == 5) body.template operator()<5>(first);
      if (n == 4) body.template operator()<4>(first);
    }
    if constexpr (query_tile >= 3) {
      if (n == 3) body.template operator()<3>(first);
    }
    if (n == 2) body.template operator()<2>(first);
    if (n == 1) body.template operator()<1>(first);
    first += n;
  }
}

// A tile of n queries lies in job.packed as [stride / 16, n, 16]: one stream, in the order of its use.
void pack_queries(const ChunkJob& job) {
  for_query_tiles(job.queries, [&]<int n>(int first) QN_FORCE_LAMBDA {
    float* to = row_of(job.packed, first, job.stride);
    for (int d = 0; d < job.stride; d += 16)
      for (int q = 0; q < n; ++q, to += 16) store(to, load(row_of(job.query, first + q, job.stride) + d));
  });
}

// Sums of products of `queries` packed queries with key_tile keys. load_key.operator()<half>(j, d) is sixteen numbers of key j from
// d + 16 * half on; fetch(d) is called on the way.
template <int queries, class Load, class Fetch>
QN_FORCE_INLINE void dot_products(const float* packed, int stride, const Load& load_key, const Fetch& fetch_more,
                                  Floats (&acc)[queries][key_tile]) {
  QN_UNROLL for (int q = 0; q < queries; ++q) QN_UNROLL for (int j = 0; j < key_tile; ++j) acc[q][j] = set(0.0f);
  const auto half = [&]<int which>(int d, const float* query) QN_FORCE_LAMBDA {
    Floats x[key_tile];
    QN_UNROLL for (int j = 0; j < key_tile; ++j) x[j] = load_key.template operator()<which>(j, d);
    QN_UNROLL for (int q = 0; q < queries; ++q) {
      const Floats y = load(query + 16 * q);
      QN_UNROLL for (int j = 0; j < key_tile; ++j) acc[q][j] = fma(y, x[j], acc[q][j]);
    }
  };
  int d = 0;
  for (; d + 32 <= stride; d += 32, packed += 32 * queries) {
    fetch_more(d);
    half.template operator()<0>(d, packed);
    half.template operator()<1>(d, packed + 16 * queries);
  }
  if (d < stride) half.template operator()<0>(d, packed);
}

// Scores of four keys, for one to four queries, from the sums of their products.
template <int queries>
QN_FORCE_INLINE void store_scores(const Floats (*sums)[4], Floats scale, float* score) {
  Floats sixteen[16];
  QN_UNROLL for (int i = 0; i < 16; ++i) sixteen[i] = sums[i / 4 * queries / 4][i % 4];  // the same twice folds as one
  const Floats folded = mul(scale, fold_each(sixteen));
  store_quarter<0>(score, folded);
  if constexpr (queries > 1) store_quarter<(4 + queries - 1) / queries>(row_of(score, 1, chunk_keys), folded);
  if constexpr (queries > 2) store_quarter<(8 + queries - 1) / queries>(row_of(score, 2, chunk_keys), folded);
  if constexpr (queries > 3) store_quarter<3>(row_of(score, 3, chunk_keys), folded);
}

// The scores of sixteen keys for `queries` packed queries; load_key and fetch_more as above, with the number of the first key before j
// and d.
template <int queries, class Load, class Fetch>
QN_FORCE_INLINE void score_tile(const float* packed, int stride, Floats scale, float* score, const Load& load_key,
                                const Fetch& fetch_more) {
  for (int k = 0; k < keys_at_once; k += 4) {
    Floats sums[queries][4];
    QN_UNROLL for (int part = 0; part < 4; part += key_tile) {
      Floats acc[queries][key_tile];
      const auto load_part = [&]<int half>(int j, int d) QN_FORCE_LAMBDA { return load_key.template operator()<half>(k + part + j, d); };
      dot_products<queries>(
          packed, stride, load_part, [&](int d) QN_FORCE_LAMBDA { fetch_more(k + part, d); }, acc);
      QN_UNROLL for (int q = 0; q < queries; ++q) QN_UNROLL for (int j = 0; j < key_tile; ++j) sums[q][part + j] = acc[q][j];
    }
    store_scores < queries<4 ? queries : 4>(sums, scale, score + k);
    if constexpr (queries > 4) store_scores<queries - 4>(sums + 4, scale, row_of(score, 4, chunk_keys) + k);
  }
}

// sum[q][d] += weight[q][j] * value[j][d] for j in [0, keys), ascending; `vectors` vectors of d. load_value(j, x) loads them.
template <int queries, int vectors, class Load>
QN_FORCE_INLINE void weigh_tile(const float* weight, int keys, int stride, float* sum, const Load& load_value) {
  Floats acc[queries][vectors];
  QN_UNROLL for (int q = 0; q < queries; ++q) QN_UNROLL for (int i = 0; i < vectors; ++i) acc[q][i] = load(row_of(sum, q, stride) + 16 * i);
  for (int j = 0; j < keys; ++j) {
    Floats x[vectors];
    load_value(j, x);
    QN_UNROLL for (int q = 0; q < queries; ++q) {
      const Floats w = set(row_of(weight, q, chunk_keys)[j]);
      QN_UNROLL for (int i = 0; i < vectors; ++i) acc[q][i] = fma(w, x[i], acc[q][i]);
    }
  }
  QN_UNROLL for (int q = 0; q < queries; ++q) QN_UNROLL for (int i = 0; i < vectors; ++i) store(row_of(sum, q, stride) + 16 * i, acc[q][i]);
}

// Scores of the keys [begin, end) to weights exp(score - largest); those of the other keys in the same vectors become 0.
QN_FORCE_INLINE void soften(float* score, int begin, int end, float* largest, float* weight) {
  const int first = begin / 16 * 16;
  const auto seen = [&](int k, Floats x, float otherwise)
                        QN_FORCE_LAMBDA { return k >= begin && k + 16 <= end ? x : where_between(begin - k, end - k, x, otherwise); };
  Floats high = set(-__builtin_inff());
  for (int k = first; k < end; k += 16) high = larger(seen(k, load(score + k), -__builtin_inff()), high);
  *largest = fold_larger(high);
  const Floats top = set(*largest);
  Floats lanes = set(0.0f);
  for (int k = first; k < end; k += 16) {
    const Floats p = seen(k, exp_of(sub(load(score + k), top)), 0.0f);
    store(score + k, p);
    lanes = add(lanes, p);
  }
  *weight = fold(lanes);
}

void soften_all(const ChunkJob& job) {
  for (int q = 0; q < job.queries; ++q)
    soften(row_of(job.score, q, chunk_keys), job.begin[q], job.end[q], job.out.largest + q, job.out.weight + q);
  for (int i = 0; i < job.queries * job.stride; i += 16) store(job.out.sum + i, set(0.0f));
}

// One row of queries: all see the same keys.
template <RowType type, int queries>
void score_row(const ChunkJob& job, int first) {
  const CachedRows& rows = *job.keys;
  for (int k = job.begin[0] / keys_at_once * keys_at_once; k < job.end[0]; k += keys_at_once) {
    score_tile<queries>(
        row_of(job.packed, first, job.stride), job.stride, set(job.scale), row_of(job.score, first, chunk_keys) + k,
        [&]<int half>(int j, int d)
            QN_FORCE_LAMBDA { return Block<type>::template load<half>(rows.at[k + j] + d / 32 * Block<type>::bytes); },
        [&](int j, int d) QN_FORCE_LAMBDA {  // as if the next rows lay side by side, which most do
          constexpr int bytes = key_tile * Block<type>::bytes;
          fetch<bytes>(rows.soon[k + j] + d / 32 * bytes);
        });
  }
}

constexpr int values_at_once = 32;  // small enough for the nearest cache to keep until the last vector of them is read

template <RowType type, int queries>
void weigh_row(const ChunkJob& job, int first) {
  const CachedRows& rows = *job.values;
  for (int k = job.begin[0]; k < job.end[0]; k += values_at_once)
    for (int d = 0; d < job.stride; d += 16 * value_tile) {
      const int at = d / 32 * Block<type>::bytes;
      weigh_tile<queries, value_tile>(row_of(job.score, first, chunk_keys) + k, at_most(values_at_once, job.end[0] - k), job.stride,
                                      row_of(job.out.sum, first, job.stride) + d, [&](int j, Floats(&x)[value_tile]) QN_FORCE_LAMBDA {
                                        fetch<Block<type>::bytes * value_tile / 2>(rows.soon[k + j] + at);
                                        const std::byte* p = rows.at[k + j] + at;
                                        QN_UNROLL for (int i = 0; i < value_tile; i += 2) {
                                          x[i] = Block<type>::template load<0>(p + i / 2 * Block<type>::bytes);
                                          x[i + 1] = Block<type>::template load<1>(p + i / 2 * Block<type>::bytes);
                                        }
                                      });
    }
}

void attend_row(const ChunkJob& job) {
  with_row_type(job.keys->type, [&]<RowType type>() QN_FORCE_LAMBDA {
    for_query_tiles(job.queries, [&]<int n>(int first) QN_FORCE_LAMBDA { score_row<type, n>(job, first); });
  });
  soften_all(job);
  with_row_type(job.values->type, [&]<RowType type>() QN_FORCE_LAMBDA {
    for_query_tiles(job.queries, [&]<int n>(int first) QN_FORCE_LAMBDA { weigh_row<type, n>(job, first); });
  });
}

// Queries [first, first + queries) and keys [begin, end) of the chunk; job.decoded holds them from key `begin` on.
template <int queries>
void score_many(const ChunkJob& job, int first, int begin, int end) {
  const int seen_begin = job.begin[first], seen_end = job.end[first + queries - 1];
  for (int k = begin; k < end; k += keys_at_once)
    if (k + keys_at_once > seen_begin && k < seen_end) {
      const float* keys = row_of(job.decoded, k - begin, job.stride);
      score_tile<queries>(
          row_of(job.packed, first, job.stride), job.stride, set(job.scale), row_of(job.score, first, chunk_keys) + k,
          [&]<int half>(int j, int d) QN_FORCE_LAMBDA { return load(row_of(keys, j, job.stride) + d + 16 * half); },
          [](int, int) QN_FORCE_LAMBDA {});
    }
}

template <int queries>
QN_FORCE_INLINE void weigh_decoded(const ChunkJob& job, int first, const float* values, int from, int to) {
  if (from >= to) return;
  const float* weight = row_of(job.score, first, chunk_keys) + from;
  float* sum = row_of(job.out.sum, first, job.stride);
  const auto tile = [&]<int vectors>(int d) QN_FORCE_LAMBDA {
    weigh_tile<queries, vectors>(weight, to - from, job.stride, sum + d, [&](int j, Floats(&x)[vectors]) QN_FORCE_LAMBDA {
      QN_UNROLL for (int i = 0; i < vectors; ++i) x[i] = load(row_of(values, j, job.stride) + d + 16 * i);
    });
  };
  constexpr int wide = queries == 1 ? 2 * value_tile : value_tile;
  int d = 0;
  for (; d + 16 * wide <= job.stride; d += 16 * wide) tile.template operator()<wide>(d);
  for (; d < job.stride; d += 16) tile.template operator()<1>(d);
}

// Keys that every query sees are taken together; before and after them each query goes alone.
template <int queries>
void weigh_many(const ChunkJob& job, int first, int begin, int end) {
  int all_begin = job.begin[first + queries - 1], all_end = job.end[first];
  if (all_begin >= all_end) all_begin = all_end = chunk_keys;
  const auto values = [&](int j) QN_FORCE_LAMBDA { return row_of(job.decoded, j - begin, job.stride); };
  const auto alone = [&](int from, int to) {
    for (int q = first; q < first + queries; ++q) {
      const int b = at_least(from, job.begin[q]);
      weigh_decoded<1>(job, q, values(b), b, at_most(to, job.end[q]));
    }
  };
  alone(begin, at_most(all_begin, end));
  const int b = at_least(begin, all_begin);
  weigh_decoded<queries>(job, first, values(b), b, at_most(end, all_end));
  alone(at_least(begin, all_end), end);
}

void attend_many(const ChunkJob& job) {
  const int begin = job.begin[0], end = job.end[job.queries - 1];
  for (int k = begin / keys_at_once * keys_at_once; k < end; k += decoded_rows) {
    const int from = at_least(k, begin), to = at_most(k + decoded_rows, end);
    decode_rows(*job.keys, from, to, job.head, job.stride, row_of(job.decoded, from - k, job.stride));
    for_query_tiles(job.queries, [&]<int n>(int first) QN_FORCE_LAMBDA { score_many<n>(job, first, k, to); });
  }
  soften_all(job);
  for (int k = begin; k < end; k += decoded_rows) {
    const int to = at_most(k + decoded_rows, end);
    decode_rows(*job.values, k, to, job.head, job.stride, job.decoded);
    for_query_tiles(job.queries, [&]<int n>(int first) QN_FORCE_LAMBDA { weigh_many<n>(job, first, k, to); });
  }
}

void attend_chunk(const ChunkJob& job) {
  const bool one_row = job.begin[0] == job.begin[job.queries - 1] && job.end[0] == job.end[job.queries - 1];
  pack_queries(job);
  const bool known = job.keys->type != RowType::other && job.values->type != RowType::other;
  if (one_row && known && job.queries <= 2 * query_tile && job.head % (16 * value_tile) == 0 && job.head % 32 == 0) return attend_row(job);
  attend_many(job);
}

void attend_merge(const Partial& into, const Partial& part, int queries, int stride) {
  for (int first = 0; first < queries; first += 16) {
    const int n = at_most(queries - first, 16);
    const Floats a = load_first(into.largest + first, n), b = load_first(part.largest + first, n);
    const Floats both = larger(b, a);
    float keep[16], gain[16];
    store(keep, exp_of(sub(a, both)));
    store(gain, exp_of(sub(b, both)));
    store_first(into.largest + first, both, n);
    const Floats added = mul(load_first(part.weight + first, n), load(gain));
    store_first(into.weight + first, fma(load_first(into.weight + first, n), load(keep), added), n);
    for (int q = 0; q < n; ++q) {
      float* sum = row_of(into.sum, first + q, stride);
      const float* other = row_of(part.sum, first + q, stride);
      const Floats k = set(keep[q]), g = set(gain[q]);
      for (int d = 0; d < stride; d += 16) store(sum + d, fma(load(sum + d), k, mul(load(other + d), g)));
    }
  }
}

void attend_finish(const float* sum, float weight, int head, float* out) {
  const Floats inverse = set(1.0f / weight);
  for (int d = 0; d < head; d += 16) store_first(out + d, mul(load(sum + d), inverse), head - d);
}

}  // namespace
}  // namespace qn::cpu
