#include "text/grammar/mask_cache.h"

namespace qn::text::grammar {
namespace {

constexpr std::size_t entry_bytes = 160;  // of the list, the table and the shared pointer

}  // namespace

SharedNodeMask MaskCache::keep(std::uint64_t key, NodeMask mask) {
  const std::size_t bytes = mask.bytes() + entry_bytes;
  auto shared = std::make_shared<const NodeMask>(std::move(mask));
  keep({key, Kind::node}, bytes, shared);
  return shared;
}

SharedStateMask MaskCache::keep(std::uint64_t key, StateMask mask) {
  const std::size_t bytes = mask.words.capacity() * sizeof(std::uint64_t) + sizeof mask + entry_bytes;
  auto shared = std::make_shared<const StateMask>(std::move(mask));
  keep({key, Kind::state}, bytes, shared);
  return shared;
}

std::size_t MaskCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::shared_ptr<const void> MaskCache::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto at = index_.find(key);
  if (at == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, at->second);
  return at->second->mask;
}

void MaskCache::keep(const Key& key, std::size_t bytes, std::shared_ptr<const void> mask) {
  const std::lock_guard lock(mutex_);
  if (bytes > limit_bytes_ || index_.contains(key)) return;  // another thread was first, with the same mask
  entries_.push_front({key, bytes, std::move(mask)});
  index_.emplace(key, entries_.begin());
  bytes_ += bytes;
  while (bytes_ > limit_bytes_) {
    bytes_ -= entries_.back().bytes;
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
}

}  // namespace qn::text::grammar
