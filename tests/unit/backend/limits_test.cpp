#include "backend/cpu/limits.h"

#include <gtest/gtest.h>

namespace qn {
namespace {

constexpr std::size_t small_stream = std::size_t{8} << 20;

TEST(Limits, every_instruction_set_up_to_the_machines_gives_a_bandwidth_and_a_peak_of_f32) {
  for (const Isa isa : usable_isas()) {
    for (const int threads : {1, 2}) {
      const auto meter = LimitMeter::make(isa, PoolOptions{.threads = threads}, small_stream);
      ASSERT_TRUE(meter);
      EXPECT_GT((*meter)->read_bytes_per_s(), 1e8) << name(isa);
      const auto f32 = (*meter)->operations_per_s(Arithmetic::f32);
      ASSERT_TRUE(f32) << name(isa);
      EXPECT_GT(*f32, 1e7) << name(isa);
    }
  }
}

TEST(Limits, a_kind_has_a_peak_exactly_where_it_has_an_instruction) {
  for (const Isa isa : usable_isas()) {
    const auto meter = LimitMeter::make(isa, PoolOptions{}, small_stream);
    ASSERT_TRUE(meter);
    for (const Arithmetic kind : every_arithmetic)
      EXPECT_EQ((*meter)->operations_per_s(kind).has_value(), !(*meter)->instruction(kind).empty()) << name(isa) << " " << name(kind);
    if (isa != Isa::scalar) {
      EXPECT_FALSE((*meter)->instruction(Arithmetic::int8).empty());
    }
  }
}

TEST(Limits, the_stream_is_far_larger_than_the_caches) {
  EXPECT_GE(default_stream_bytes(), std::size_t{128} << 20);
}

}  // namespace
}  // namespace qn
