// fmt::format, by its one door. result.h and log.h bring fmt/core.h; include this for what needs more.
#pragma once

#include <fmt/format.h>
