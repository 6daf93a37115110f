#include "model/place.h"

namespace qn::model {

Backend& Placement::device_of(Part part, int layer) const {
  switch (part) {
    case Part::embedding: return *devices[embedding];
    case Part::head: return *devices[head];
    case Part::mixer: return *devices[mixer[static_cast<std::size_t>(layer)]];
    case Part::feed_forward: break;
  }
  return *devices[feed_forward[static_cast<std::size_t>(layer)]];
}

Placement place_on(Backend& device, int layers) {
  const std::vector<std::size_t> first(static_cast<std::size_t>(layers), 0);
  return {.devices = {&device}, .mixer = first, .feed_forward = first};
}

}  // namespace qn::model
