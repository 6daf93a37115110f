#include "api/metrics/exposition.h"

#include <gtest/gtest.h>

namespace qn::api {
namespace {

constexpr double bounds[] = {0.5, 1, 10};

TEST(HistogramOfMetrics, a_value_on_a_bound_belongs_to_it) {
  Histogram histogram(bounds);
  histogram.add(0.5);
  histogram.add(0.75);
  histogram.add(1);
  histogram.add(11);
  EXPECT_EQ(std::vector<std::uint64_t>(histogram.counts().begin(), histogram.counts().end()), (std::vector<std::uint64_t>{1, 2, 0, 1}));
  EXPECT_EQ(histogram.total(), 4u);
  EXPECT_EQ(histogram.sum(), 13.25);
}

TEST(Exposition, families_have_help_and_type_before_their_samples) {
  Exposition out;
  out.family("quern_requests_total", Exposition::Kind::counter, "Requests.");
  out.sample(3, {{"model", "a"}, {"code", "200"}});
  out.sample(0.1);
  EXPECT_EQ(std::move(out).text(),
            "# HELP quern_requests_total Requests.\n# TYPE quern_requests_total counter\n"
            "quern_requests_total{model=\"a\",code=\"200\"} 3\nquern_requests_total 0.1\n");
}

TEST(Exposition, buckets_add_up_and_end_in_all) {
  Histogram histogram(bounds);
  histogram.add(0.25, 2);
  histogram.add(5);
  histogram.add(100);
  Exposition out;
  out.family("t", Exposition::Kind::histogram, "Time.");
  out.histogram(histogram, {{"model", "m"}});
  EXPECT_EQ(std::move(out).text(),
            "# HELP t Time.\n# TYPE t histogram\n"
            "t_bucket{model=\"m\",le=\"0.5\"} 2\nt_bucket{model=\"m\",le=\"1\"} 2\nt_bucket{model=\"m\",le=\"10\"} 3\n"
            "t_bucket{model=\"m\",le=\"+Inf\"} 4\nt_sum{model=\"m\"} 105.5\nt_count{model=\"m\"} 4\n");
}

TEST(Exposition, a_name_from_outside_cannot_end_its_label) {
  Exposition out;
  out.family("t", Exposition::Kind::gauge, "T.");
  out.sample(1, {{"model", "a\"} 7\n\\"}});
  EXPECT_NE(std::move(out).text().find("t{model=\"a\\\"} 7\\n\\\\\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace qn::api
