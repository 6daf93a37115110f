// Statistics of a reply, in the words and units that users of other tools know (and their scripts read).
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "serve/session.h"

namespace qn::cli {

// As Go prints a duration: "5.043500667s", "25.025959ms", "1m2.5s", "0s".
std::string go_duration(std::chrono::nanoseconds duration);

// One line each; zero values are left out.
void print_statistics(std::FILE* out, const serve::ReplyStats& stats, std::chrono::nanoseconds load);

}  // namespace qn::cli
