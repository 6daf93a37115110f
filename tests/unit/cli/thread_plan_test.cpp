#include "cli/threads/thread_plan.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/usable_cpus.h"

namespace qn::cli {
namespace {

using Places = std::vector<std::vector<int>>;

// Two nodes of four cores with two hardware threads each: core c has CPUs 2c and 2c + 1.
Topology two_nodes() {
  return synthetic_topology("numa:2 core:4 pu:2");
}

// Two fast cores with two hardware threads each, then four slow ones with one.
Topology hybrid() {
  Topology topology;
  topology.quota = no_quota;
  topology.cores = {{{0, 1}, 0, 1}, {{2, 3}, 0, 1}, {{4}, 0, 0}, {{5}, 0, 0}, {{6}, 0, 0}, {{7}, 0, 0}};
  return topology;
}

struct Planned {
  Result<ThreadPlan> plan;
  std::string notes;
};

Planned plan(const ThreadChoice& choice, const Topology& topology) {
  char* text = nullptr;
  std::size_t size = 0;
  Io io;
  io.err = ::open_memstream(&text, &size);
  Result<ThreadPlan> result = plan_threads(choice, topology, io);
  std::fclose(io.err);
  Planned planned{std::move(result), std::string(text, size)};
  std::free(text);
  return planned;
}

TEST(ThreadPlan, a_thread_for_each_core_stays_on_it) {
  const Planned planned = plan({}, two_nodes());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 8);
  EXPECT_EQ(planned.plan->prompt_threads, 8);
  EXPECT_EQ(planned.plan->places, (Places{{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}, {10, 11}, {12, 13}, {14, 15}}));
  EXPECT_EQ(planned.notes, "");
}

TEST(ThreadPlan, on_equal_cores_of_one_node_the_system_places_threads_unless_told) {
  const Topology topology = synthetic_topology("numa:1 core:4 pu:2");
  const Planned planned = plan({}, topology);
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 4);
  EXPECT_TRUE(planned.plan->places.empty());
  EXPECT_EQ(plan({.threads = 4, .strict = "1"}, topology).plan->places, (Places{{0}, {2}, {4}, {6}, {1}, {3}, {5}, {7}}));
}

TEST(ThreadPlan, fewer_threads_than_cores_are_placed_by_the_system) {
  const Planned planned = plan({.threads = 4}, two_nodes());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 4);
  EXPECT_EQ(planned.plan->prompt_threads, 4);
  EXPECT_TRUE(planned.plan->places.empty());
}

TEST(ThreadPlan, replies_take_the_fast_cores_and_prompts_all_of_them) {
  const Planned planned = plan({}, hybrid());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 2);
  EXPECT_EQ(planned.plan->prompt_threads, 6);
  EXPECT_EQ(planned.plan->places, (Places{{0, 1}, {2, 3}, {4}, {5}, {6}, {7}}));
}

TEST(ThreadPlan, fast_cores_come_first_wherever_the_machine_counts_them) {
  Topology topology = hybrid();
  std::reverse(topology.cores.begin(), topology.cores.end());
  const Planned planned = plan({.strict = "1"}, topology);
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->places, (Places{{2}, {0}, {7}, {6}, {5}, {4}, {3}, {1}}));
}

TEST(ThreadPlan, a_quota_limits_the_threads_and_leaves_their_place_to_the_system) {
  Topology topology = two_nodes();
  topology.quota = 2.5;
  const Planned planned = plan({}, topology);
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 3);
  EXPECT_EQ(planned.plan->prompt_threads, 3);
  EXPECT_TRUE(planned.plan->places.empty());
  EXPECT_LE(planned.plan->spin.count(), 50);
}

TEST(ThreadPlan, more_threads_than_cpus_are_cut_and_noted) {
  const Planned planned = plan({.threads = 64}, two_nodes());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 16);
  EXPECT_NE(planned.notes.find("--threads 64: this machine has 16 cores for us; using 16"), std::string::npos) << planned.notes;
}

TEST(ThreadPlan, threads_for_prompts_may_differ) {
  const Planned planned = plan({.threads = 2, .prompt_threads = 6}, two_nodes());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 2);
  EXPECT_EQ(planned.plan->prompt_threads, 6);
}

TEST(ThreadPlan, a_mask_and_a_range_say_which_cpus) {
  for (const ThreadChoice& choice :
       {ThreadChoice{.mask = "0xF0"}, ThreadChoice{.range = "4-7"}, ThreadChoice{.mask = "fc", .range = "4-"}}) {
    const Planned planned = plan(choice, choice.range == "4-" ? hybrid() : two_nodes());
    ASSERT_TRUE(planned.plan) << planned.plan.error().message;
    EXPECT_EQ(planned.plan->places, (Places{{4, 5, 6, 7}}));
  }
}

TEST(ThreadPlan, strict_gives_each_thread_one_cpu_and_cores_before_their_second_threads) {
  const Planned planned = plan({.mask = "0xf", .strict = "1"}, two_nodes());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->places, (Places{{0}, {2}, {1}, {3}}));
}

TEST(ThreadPlan, distribute_takes_the_nodes_in_turn) {
  const Planned planned = plan({.threads = 4, .numa = "distribute"}, two_nodes());
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->places, (Places{{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11, 12, 13, 14, 15}}));
}

TEST(ThreadPlan, isolate_stays_on_the_node_where_the_program_runs) {
  Topology topology = two_nodes();
  topology.here = 1;
  const Planned planned = plan({.numa = "isolate"}, topology);
  ASSERT_TRUE(planned.plan);
  EXPECT_EQ(planned.plan->threads, 4);
  EXPECT_EQ(planned.plan->places, (Places{{8, 9, 10, 11, 12, 13, 14, 15}}));
}

TEST(ThreadPlan, cpus_that_are_not_there_are_noted_or_refused) {
  const Planned some = plan({.mask = "0x30000f"}, two_nodes());
  ASSERT_TRUE(some.plan);
  EXPECT_NE(some.notes.find("4 of its 6 CPUs can be used"), std::string::npos) << some.notes;
  const Planned none = plan({.mask = "0xff00000"}, two_nodes());
  ASSERT_FALSE(none.plan);
  EXPECT_NE(none.plan.error().message.find("--cpu-mask"), std::string::npos) << none.plan.error().message;
}

TEST(ThreadPlan, what_a_flag_cannot_mean_is_refused_by_its_name) {
  const std::pair<ThreadChoice, std::string_view> wrong[] = {
      {{.threads = 0}, "--threads"},
      {{.prompt_threads = -2}, "--threads-batch"},
      {{.poll = 101}, "--poll"},
      {{.priority = "urgent"}, "--prio"},
      {{.mask = "0xzz"}, "--cpu-mask"},
      {{.mask = "0x"}, "--cpu-mask"},
      {{.mask = std::string(5000, 'f')}, "--cpu-mask"},
      {{.range = "7-3"}, "--cpu-range"},
      {{.range = "-"}, "--cpu-range"},
      {{.range = "99999999999-"}, "--cpu-range"},
      {{.strict = "maybe"}, "--cpu-strict"},
      {{.numa = "mirror"}, "--numa"},
  };
  for (const auto& [choice, flag] : wrong) {
    const Planned planned = plan(choice, two_nodes());
    ASSERT_FALSE(planned.plan) << flag;
    EXPECT_TRUE(planned.plan.error().message.starts_with(flag)) << planned.plan.error().message;
  }
}

TEST(ThreadPlan, a_priority_is_granted_or_noted) {
  const Planned planned = plan({.priority = "realtime"}, two_nodes());
  ASSERT_TRUE(planned.plan);
  if (planned.plan->priority == Priority::normal) {
    EXPECT_NE(planned.notes.find("--prio realtime: not permitted"), std::string::npos) << planned.notes;
  } else {
    EXPECT_EQ(planned.notes, "");
  }
}

TEST(Topology, this_machine_has_the_cpus_that_we_may_use) {
  const Topology topology = this_topology();
  ASSERT_FALSE(topology.cores.empty());
  EXPECT_EQ(topology.cpus(), static_cast<int>(allowed_cpus().size()));
}

}  // namespace
}  // namespace qn::cli
