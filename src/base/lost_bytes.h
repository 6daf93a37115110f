// Maps of files, and which of them has lost bytes: the file became shorter, or its disk failed. What a signal handler may look at, so no
// lock and no memory of its own.
// Invariant: a map that is guarded is mapped.
#pragma once

#include <cstddef>
#include <span>

namespace qn::lost_bytes {

int guard(std::span<const std::byte> map);  // a number for what follows; negative where there are too many: that one is not guarded
bool found(int guard);
void declare(int guard);
void forget(int guard);  // before it is unmapped

}  // namespace qn::lost_bytes
