#include "api/http/limits.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/json.h"

namespace qn::api {
namespace {

// "32 MiB", "10 s", "100".
std::string shown(const LimitRow& row) {
  const std::int64_t value = Limits{}.*row.value;
  const bool bytes = row.name.find("bytes") != std::string_view::npos;
  const char* per = row.name.ends_with("per-s") ? "/s" : "";
  if (bytes && value >= 1 << 30) return fmt::format("{} GiB{}", value >> 30, per);
  if (bytes && value >= 1 << 20) return fmt::format("{} MiB{}", value >> 20, per);
  if (bytes) return fmt::format("{} KiB{}", value >> 10, per);
  return row.name.ends_with("-ms") ? fmt::format("{} s", value / 1000) : fmt::format("{}", value);
}

TEST(Limits, the_guide_has_the_table_that_the_server_keeps) {
  std::string table;
  for (const LimitRow& row : limit_rows) table += fmt::format("| `{}` | {} | {} | {} |\n", row.name, row.input, shown(row), row.beyond);
  const std::string path = QN_REPOSITORY "/docs/server.md";
  std::stringstream guide;
  guide << std::ifstream(path).rdbuf();
  const std::string header = "| name | what | default | beyond it |\n| --- | --- | --- | --- |\n";
  const std::size_t begin = guide.str().find(header);
  ASSERT_NE(begin, std::string::npos);
  const std::size_t end = guide.str().find("\n\n", begin) + 1;
  const std::string written = guide.str().substr(begin + header.size(), end - begin - header.size());
  if (written != table && std::getenv("QN_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path) << guide.str().substr(0, begin) << header << table << guide.str().substr(end);
  else
    EXPECT_EQ(written, table) << "QN_UPDATE_GOLDEN=1 writes it";
}

TEST(Limits, json_is_at_most_128_deep) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(json::parse(nested(128)));
  EXPECT_FALSE(json::parse(nested(129)));
}

}  // namespace
}  // namespace qn::api
