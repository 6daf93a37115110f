// Sizes and counts as people read them: files in decimal units, memory in binary ones.
#pragma once

#include <cstdint>
#include <string>

namespace qn::cli {

std::string memory_size(std::uint64_t bytes);  // "4.80 GiB"
std::string disk_size(std::uint64_t bytes);    // "5.20 GB"
std::string count_size(std::uint64_t number);  // "8.19 B"

}  // namespace qn::cli
