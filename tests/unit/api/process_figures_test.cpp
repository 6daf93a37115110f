#include "api/process_figures.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace qn::api {
namespace {

TEST(ProcessFigures, are_those_of_this_process) {
  std::map<std::string, double, std::less<>> values;
  for (const ProcessFigure& figure : process_figures()) {
    EXPECT_TRUE(figure.name.starts_with("process_")) << figure.name;
    EXPECT_EQ(figure.kind == FigureKind::counter, figure.name.ends_with("_total")) << figure.name;
    values[std::string(figure.name)] = figure.value;
  }
  EXPECT_GT(values["process_resident_memory_bytes"], 1e6);
  EXPECT_GE(values["process_virtual_memory_bytes"], values["process_resident_memory_bytes"]);
  EXPECT_GE(values["process_threads"], 1);
  EXPECT_GE(values["process_open_fds"], 3);
  EXPECT_GE(values["process_max_fds"], values["process_open_fds"]);
  EXPECT_GE(values["process_cpu_seconds_total"], 0);
  EXPECT_GT(values["process_start_time_seconds"], 1.7e9);
}

}  // namespace
}  // namespace qn::api
