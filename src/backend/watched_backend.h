// A backend with someone who looks on: every product's input is shown before it is computed. Whoever is not watched pays nothing: nothing
// in another backend or in the model knows of it.
#pragma once

#include <memory>
#include <string_view>

#include "backend/backend.h"

namespace qn {

class ProductWatcher {
 public:
  virtual ~ProductWatcher() = default;
  //   weight   the name that the file gives it
  //   x        [T, M] f32 in host memory, until the call returns
  virtual void product(std::string_view weight, Tensor x) = 0;
};

// Both are borrowed and outlive it. Weights must be adopted through it to have a name.
std::unique_ptr<Backend> watch(Backend& backend, ProductWatcher& watcher);

}  // namespace qn
