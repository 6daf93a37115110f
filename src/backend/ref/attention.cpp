#include "backend/ref/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "backend/ref/arithmetic.h"

namespace qn::ref {
namespace {

std::size_t row_in_page(const KvPool& pool, int kv_head, int position) {
  return static_cast<std::size_t>(kv_head) * static_cast<std::size_t>(pool.page_tokens) +
         static_cast<std::size_t>(position % pool.page_tokens);
}

std::size_t page_of(const KvPool& pool, std::span<const PageId> pages, int position) {
  return pages[static_cast<std::size_t>(position / pool.page_tokens)].value;
}

void decode(const quant::Format& format, const std::byte* bytes, int head, float* out) {
  format.dequantize(bytes, out, static_cast<std::size_t>(head / format.block_weights));
}

struct Partial {           // softmax over some keys, before the division
  float largest = 0;       // score
  float weight = 0;        // sum of exp(score - largest)
  std::vector<float> sum;  // [head] of exp(score - largest) * v
};

// Keys [begin, end) of the chunk that starts at `chunk`.
Partial attend_chunk(const KvPool& pool, std::span<const PageId> pages, int kv_head, int chunk, int begin, int end, const float* q,
                     float scale) {
  Partial part{0, 0, std::vector<float>(static_cast<std::size_t>(pool.head))};
  std::vector<float> decoded(static_cast<std::size_t>(pool.head));
  float score[chunk_tokens] = {};
  float largest[lanes];
  std::fill(largest, largest + lanes, -std::numeric_limits<float>::infinity());
  for (int position = begin; position < end; ++position) {
    const int j = position - chunk;
    decode(*pool.key_format, key_at(pool, pages, kv_head, position), pool.head, decoded.data());
    score[j] = scale * dot(q, decoded.data(), pool.head);
    largest[j % lanes] = larger(score[j], largest[j % lanes]);
  }
  for (int half = lanes / 2; half > 0; half /= 2)
    for (int j = 0; j < half; ++j) largest[j] = larger(largest[j], largest[j + half]);
  part.largest = largest[0];

  float weight[lanes] = {};
  for (int position = begin; position < end; ++position) {
    const int j = position - chunk;
    const float p = ref::exp(score[j] - part.largest);
    weight[j % lanes] += p;
    decode(*pool.value_format, value_at(pool, pages, kv_head, position), pool.head, decoded.data());
    for (std::size_t d = 0; d < part.sum.size(); ++d) part.sum[d] = std::fma(p, decoded[d], part.sum[d]);
  }
  part.weight = fold(weight);
  return part;
}

void merge(Partial& all, const Partial& part) {
  const float largest = larger(part.largest, all.largest);
  const float keep = ref::exp(all.largest - largest);
  const float add = ref::exp(part.largest - largest);
  all.largest = largest;
  all.weight = std::fma(all.weight, keep, part.weight * add);
  for (std::size_t d = 0; d < all.sum.size(); ++d) all.sum[d] = std::fma(all.sum[d], keep, part.sum[d] * add);
}

}  // namespace

const std::byte* key_at(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position) {
  return pool.keys + page_of(pool, pages, position) * pool.key_page_bytes() +
         row_in_page(pool, kv_head, position) * pool.key_format->row_bytes(pool.head);
}

const std::byte* value_at(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position) {
  return pool.values + page_of(pool, pages, position) * pool.value_page_bytes() +
         row_in_page(pool, kv_head, position) * pool.value_format->row_bytes(pool.head);
}

void attend(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position, const float* q, float scale, int window,
            float* out) {
  const int first = first_key(position, window);
  Partial all;
  for (int chunk = first / chunk_tokens * chunk_tokens; chunk <= position; chunk += chunk_tokens) {
    const int begin = std::max(first, chunk);
    const int end = std::min(position + 1, chunk + chunk_tokens);
    const Partial part = attend_chunk(pool, pages, kv_head, chunk, begin, end, q, scale);
    if (begin == first) {
      all = part;
    } else {
      merge(all, part);
    }
  }
  const float inverse = 1.0f / all.weight;
  for (std::size_t d = 0; d < all.sum.size(); ++d) out[d] = all.sum[d] * inverse;
}

void rotate(float* x, RopeLayout layout, int rotated, const float* cos_sin) {
  const int pairs = rotated / 2;
  for (int i = 0; i < pairs; ++i) {
    float& a = x[layout == RopeLayout::halves ? i : 2 * i];
    float& b = x[layout == RopeLayout::halves ? i + pairs : 2 * i + 1];
    const float cosine = cos_sin[i], sine = cos_sin[pairs + i];
    const float turned = std::fma(a, cosine, -(b * sine));
    b = std::fma(b, cosine, a * sine);
    a = turned;
  }
}

}  // namespace qn::ref
