#include "serve/prefetch.h"

#include <algorithm>

#include "base/thread_place.h"

namespace qn::serve {
namespace {

constexpr std::size_t piece_bytes = std::size_t{16} << 20;

}  // namespace

Prefetch::Prefetch(std::shared_ptr<const model::Model> model) : model_(std::move(model)) {
  thread_ = std::thread([this] {
    (void)prioritize_thread(Priority::low);  // whoever computes comes first
    for (const std::span<const std::byte> tensor : model_->bytes_in_use()) {
      const MappedFile* map = model_->checkpoint().map_of(tensor);
      if (map == nullptr || map->residence() != Residence::mapped) continue;
      for (std::size_t at = 0; at < tensor.size() && !stopping_; at += piece_bytes)
        map->prefetch(tensor.subspan(at, std::min(piece_bytes, tensor.size() - at)));
    }
  });
}

Prefetch::~Prefetch() {
  stopping_ = true;
  thread_.join();
}

}  // namespace qn::serve
