// Attention of one query head over the keys and values that it may see.
#pragma once

#include <span>

#include "backend/ops.h"

namespace qn::ref {

// Keys are taken in chunks of this many absolute positions, [0, 256), [256, 512), ..., whatever the page size and the batch. Each chunk
// is a softmax of its own; chunks are merged in ascending order.
inline constexpr int chunk_tokens = 256;

// keys seen from position p: [first_key(p, window), p]
inline int first_key(int position, int window) {
  return window > 0 && position >= window ? position - window + 1 : 0;
}

// The encoded key or value of one head at one position.
const std::byte* key_at(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position);
const std::byte* value_at(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position);

// out [head] = softmax(scale * q . k) v over the keys seen from `position`.
void attend(const KvPool& pool, std::span<const PageId> pages, int kv_head, int position, const float* q, float scale, int window,
            float* out);

// x [head]: rotates the pairs of the layout.  cos_sin [rotated]: see RopeTable.
void rotate(float* x, RopeLayout layout, int rotated, const float* cos_sin);

}  // namespace qn::ref
