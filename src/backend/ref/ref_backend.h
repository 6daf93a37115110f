// The reference backend: one thread, scalar, obviously right. Every other CPU backend gives its bits; a new backend starts from it.
#pragma once

#include <memory>

#include "backend/backend.h"

namespace qn {

std::unique_ptr<Backend> make_ref_backend();

}  // namespace qn
