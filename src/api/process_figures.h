// What the operating system knows of this process, under the names that Prometheus' clients use.
#pragma once

#include <string_view>
#include <vector>

namespace qn::api {

enum class FigureKind { gauge, counter };

struct ProcessFigure {
  std::string_view name;  // "process_resident_memory_bytes"
  FigureKind kind;
  std::string_view help;
  double value;
};

// Those that can be read; none where there is no /proc.
std::vector<ProcessFigure> process_figures();

}  // namespace qn::api
