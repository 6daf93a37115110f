// Memory that models may take, all together. What the system calls available is not it: it leaves out what our models hold, and counts as
// free the pages of their files, and those of caches that nobody has written to yet. So the budget is what there would be without any
// model, and the plans of those in memory are held against it.
#pragma once

#include <cstdint>

#include "backend/backend.h"

namespace qn::serve {

//   locked_bytes   of mapped files, kept in memory for us: the system counts neither these as available nor as ours
std::uint64_t memory_for_models(const Backend& device, std::uint64_t locked_bytes);

}  // namespace qn::serve
