#include <gtest/gtest.h>

#include "cli/bench/serve/load_report.h"

namespace qn::cli {
namespace {

using std::chrono::milliseconds;

// A stream whose events come one mark each, at these times.
ReplyRecord streamed(const std::vector<std::pair<std::string, int>>& events) {
  ReplyRecord record;
  record.status = 200;
  for (const auto& [data, at_ms] : events) {
    record.bytes += "data: " + data + "\n\n";
    record.marks.push_back({record.bytes.size(), milliseconds(at_ms)});
    record.ended = milliseconds(at_ms);
  }
  return record;
}

std::string piece(const std::string& text) {
  return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("}}]})";
}

const std::string usage = R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}})";

TEST(ReplyTimes, the_first_token_is_the_first_text_and_not_the_first_event) {
  const auto times = read_reply(streamed({{R"({"choices":[{"delta":{"role":"assistant","content":""}}]})", 5},
                                          {piece("a"), 20},
                                          {piece("b"), 30},
                                          {piece("c"), 50},
                                          {usage, 50},
                                          {"[DONE]", 50}}));
  ASSERT_TRUE(times) << times.error().message;
  EXPECT_EQ(times->first.count(), 20);
  EXPECT_EQ(times->whole.count(), 50);
  EXPECT_EQ(times->gaps_ms, (std::vector<double>{10, 20}));
  EXPECT_EQ(times->per_token_ms(), 15);
  EXPECT_EQ(times->prompt_tokens, 7);
  EXPECT_EQ(times->cached_tokens, 4);
  EXPECT_EQ(times->output_tokens, 3);
}

TEST(ReplyTimes, thinking_counts_as_text) {
  const auto times = read_reply(streamed({{R"({"choices":[{"delta":{"reasoning_content":"hm"}}]})", 9}, {piece("a"), 20}, {"[DONE]", 21}}));
  ASSERT_TRUE(times);
  EXPECT_EQ(times->first.count(), 9);
  EXPECT_EQ(times->output_tokens, 2);
}

TEST(ReplyTimes, an_event_that_came_in_two_parts_is_there_with_the_second) {
  ReplyRecord record = streamed({{piece("a"), 10}, {piece("b"), 30}, {"[DONE]", 40}});
  record.marks.insert(record.marks.begin() + 1, {record.marks[0].end + 9, milliseconds(20)});
  const auto times = read_reply(record);
  ASSERT_TRUE(times);
  EXPECT_EQ(times->gaps_ms, std::vector<double>{20});
}

TEST(ReplyTimes, an_error_in_the_stream_is_a_failure_with_its_message) {
  const auto times = read_reply(streamed({{piece("a"), 10}, {R"({"error":{"message":"the server stops"}})", 20}}));
  ASSERT_FALSE(times);
  EXPECT_NE(times.error().message.find("the server stops"), std::string::npos);
}

TEST(ReplyTimes, a_stream_that_breaks_off_is_a_failure) {
  EXPECT_FALSE(read_reply(streamed({{piece("a"), 10}})));
}

TEST(ReplyTimes, a_refusal_is_told_in_the_servers_words) {
  ReplyRecord record;
  record.status = 503;
  record.bytes = R"({"error":{"message":"the queue is full"}})";
  const auto times = read_reply(record);
  ASSERT_FALSE(times);
  EXPECT_EQ(times.error().message, "status 503: the queue is full");
}

TEST(LoadSummary, percentiles_lie_between_the_two_nearest_values) {
  const Summary summary = summarize({4, 1, 3, 2}, {0, 50, 90, 100});
  EXPECT_EQ(summary.mean, 2.5);
  EXPECT_EQ(summary.most, 4);
  const std::vector<double> expected{1, 2.5, 3.7, 4};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_DOUBLE_EQ(summary.percentiles[i].second, expected[i]);
}

TEST(LoadSummary, a_request_is_good_only_where_every_goal_is_met) {
  LoadRecord load;
  load.ended = milliseconds(2000);
  for (const int first : {10, 30})
    for (const int gap : {5, 50}) {
      load.replies.push_back(streamed({{piece("a"), first}, {piece("b"), first + gap}, {"[DONE]", first + gap}}));
    }
  EXPECT_EQ(summarize(load, {.first = 20}, {50}).good, 2);
  const LoadSummary both = summarize(load, {.first = 20, .per_token = 10}, {50});
  EXPECT_EQ(both.good, 1);
  EXPECT_EQ(both.per_s(both.good), 0.5);
  EXPECT_EQ(both.ok, 4);
}

TEST(Prompts, each_request_has_words_of_its_own_and_a_seed_gives_them_again) {
  const Target target{.base_url = "http://x", .model = "m"};
  LoadOptions options{.prompt_tokens = 50, .prefix_tokens = 20, .seed = 7};
  const TokenRate rate{.fixed = 10, .per_word = 1};
  EXPECT_EQ(request_body(target, options, rate, 3), request_body(target, options, rate, 3));
  EXPECT_NE(request_body(target, options, rate, 3), request_body(target, options, rate, 4));
  const std::string first = request_body(target, options, rate, 3);
  options.run = 1;
  EXPECT_NE(request_body(target, options, rate, 3), first);
  EXPECT_EQ(rate.words_for(50), 40);
}

TEST(Prompts, further_fields_stand_in_the_request) {
  const Target target{.base_url = "http://x", .endpoint = "/v1/completions", .model = "m"};
  LoadOptions options;
  options.extra = {{"cache_prompt", false}, {"temperature", 1}};
  const auto body = json::parse(request_body(target, options, {}, 0));
  ASSERT_TRUE(body);
  EXPECT_FALSE(body->at("cache_prompt").as_bool());
  EXPECT_EQ(body->at("temperature").as_int64(), 1);
  EXPECT_TRUE(body->at("prompt").is_string());
  EXPECT_TRUE(body->at("ignore_eos").as_bool());
}

}  // namespace
}  // namespace qn::cli
