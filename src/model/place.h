// Placement: which device holds which half of which layer. The forward pass hops only where the device changes.
#pragma once

#include <vector>

#include "backend/backend.h"
#include "model/architecture.h"

namespace qn::model {

struct Placement {
  std::vector<Backend*> devices;                 // borrowed; they outlive the model
  std::vector<std::size_t> mixer, feed_forward;  // by layer: index into devices
  std::size_t embedding = 0, head = 0;

  Backend& device_of(Part part, int layer) const;
};

// Everything on one device.
Placement place_on(Backend& device, int layers);

}  // namespace qn::model
