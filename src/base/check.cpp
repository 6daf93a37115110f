#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace qn {

void check_failed(const char* file, int line, const char* condition, const char* why) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s (%s); this is a bug in quern, please report it\n", file, line, condition, why);
  std::abort();
}

}  // namespace qn
