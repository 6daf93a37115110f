#include "file/checkpoint.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace qn::file {

std::int64_t TensorEntry::rows() const {
  return std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
}

const TensorEntry* Checkpoint::find(std::string_view name) const {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [&](std::size_t place, std::string_view wanted) { return tensors[place].name < wanted; });
  return at == by_name_.end() || tensors[*at].name != name ? nullptr : &tensors[*at];
}

const MappedFile* Checkpoint::map_of(std::span<const std::byte> bytes) const {
  for (const auto& map : maps) {
    const std::span<const std::byte> all = map->bytes();
    if (!std::less<>()(bytes.data(), all.data()) && std::less<>()(bytes.data(), all.data() + all.size())) return map.get();
  }
  return nullptr;
}

void Checkpoint::index() {
  by_name_.resize(tensors.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) { return tensors[a].name < tensors[b].name; });
}

}  // namespace qn::file
