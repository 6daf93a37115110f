// The table of docs/files.md says what limits.h says.
#include "file/limits.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace qn::file {
namespace {

std::string with_commas(std::uint64_t number) {
  return number < 1000 ? fmt::format("{}", number) : fmt::format("{},{:03}", with_commas(number / 1000), number % 1000);
}

TEST(Limits, the_documentation_has_the_numbers_of_the_code) {
  std::stringstream page;
  page << std::ifstream(QN_REPOSITORY "/docs/files.md").rdbuf();
  const GgufLimits limits;
  const std::string rows[] = {
      fmt::format("metadata keys | at most {}; each 1 to {} bytes", with_commas(limits.metadata_keys), with_commas(limits.key_bytes)),
      fmt::format("text in metadata | at most {} bytes", with_commas(limits.string_bytes)),
      fmt::format("arrays in metadata | at most {} elements", with_commas(limits.array_elements)),
      fmt::format("tensors | at most {}; names 1 to {} bytes", with_commas(limits.tensors), with_commas(limits.name_bytes)),
      fmt::format("dimensions | 1 to {}", limits.dimensions),
      fmt::format("a power of two from {} to {}", limits.min_alignment, with_commas(limits.max_alignment)),
      fmt::format("tensor list | at most {} MiB", limits.decoded_bytes >> 20),
  };
  for (const std::string& row : rows) EXPECT_NE(page.str().find(row), std::string::npos) << row;
}

}  // namespace
}  // namespace qn::file
