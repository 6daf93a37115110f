// QN_CHECK: an invariant of ours. It holds in every build, and no input may be able to break it.
#pragma once

namespace qn {
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* why);
}

#define QN_CHECK(condition, why) (static_cast<bool>(condition) ? void(0) : ::qn::check_failed(__FILE__, __LINE__, #condition, why))
