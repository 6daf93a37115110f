// Masks that were computed, over all grammars of a vocabulary: least recently used go first when their bytes are over the bound.
//   Masks of nodes are known by what the node's rule is, and of states by what they are: two requests with one schema share them, and so do
//   two schemas with one kind of string. For several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "text/grammar/node_mask.h"

namespace qn::text::grammar {

struct StateMask {
  std::vector<std::uint64_t> words;
  bool complete = true;
};

using SharedNodeMask = std::shared_ptr<const NodeMask>;    // by the cache and whoever reads it just then
using SharedStateMask = std::shared_ptr<const StateMask>;  // by the cache and the matchers that stand in the state

class MaskCache {
 public:
  explicit MaskCache(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  SharedNodeMask find_node(std::uint64_t key) { return std::static_pointer_cast<const NodeMask>(find({key, Kind::node})); }
  SharedStateMask find_state(std::uint64_t key) { return std::static_pointer_cast<const StateMask>(find({key, Kind::state})); }
  SharedNodeMask keep(std::uint64_t key, NodeMask mask);
  SharedStateMask keep(std::uint64_t key, StateMask mask);

  std::size_t bytes() const;

 private:
  enum class Kind : std::uint8_t { node, state };
  struct Key {
    std::uint64_t value;
    Kind kind;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const { return key.value ^ static_cast<std::size_t>(key.kind); }
  };
  struct Entry {
    Key key;
    std::size_t bytes;
    std::shared_ptr<const void> mask;
  };

  std::shared_ptr<const void> find(const Key& key);
  void keep(const Key& key, std::size_t bytes, std::shared_ptr<const void> mask);

  const std::size_t limit_bytes_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<Key, std::list<Entry>::iterator, Hash> index_;
};

}  // namespace qn::text::grammar
