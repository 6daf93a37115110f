// Exposition: metrics as text for Prometheus, family after family.
//   source   Prometheus text exposition format 0.0.4
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/metrics/histogram.h"

namespace qn::api {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

class Exposition {
 public:
  // What follows, up to the next call, are samples of this family. Each name once.
  enum class Kind { counter, gauge, histogram };
  void family(std::string_view name, Kind kind, std::string_view help);

  void sample(double value, const Labels& labels = {});
  void histogram(const Histogram& values, const Labels& labels = {});

  std::string text() && { return std::move(out_); }

 private:
  void write_name(std::string_view ending, const Labels& labels, std::string_view bound = {});
  void write_number(double value);

  std::string out_;
  std::string name_;
};

}  // namespace qn::api
