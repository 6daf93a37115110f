#include "serve/session.h"

#include <gtest/gtest.h>

#include "backend/cpu/cpu_backend.h"

namespace qn::serve {
namespace {

using std::chrono::milliseconds;

const std::filesystem::path mini = std::filesystem::path(QN_REPOSITORY) / "models/quern-mini.gguf";

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load_model(mini, {.context_tokens = 512}, *device);
    ASSERT_TRUE(loaded) << loaded.error().message;
    model = std::move(*loaded);
  }

  struct Whole {
    std::string thinking, content;
    Finish finish;
    ReplyStats stats;
  };
  Whole whole(const ReplyRequest& request) {
    auto reply = Session(*model).start(request);
    EXPECT_TRUE(reply) << reply.error().message;
    Whole all;
    while ((*reply)->finish() == Finish::running) {
      const ReplyPiece piece = (*reply)->next(milliseconds(1000));
      all.thinking += piece.thinking();
      all.content += piece.content();
    }
    all.finish = (*reply)->finish();
    all.stats = (*reply)->stats();
    return all;
  }
  static ReplyRequest question(std::string text) {
    ReplyRequest request;
    request.chat.messages.push_back({.role = "user", .content = std::move(text)});
    return request;
  }
  static ReplyRequest endless() {
    ReplyRequest request = question("Hello!");
    request.ignore_end_of_turn = true;
    return request;
  }

  std::unique_ptr<Backend> device = make_cpu_backend({.threads = 1});
  std::unique_ptr<LoadedModel> model;
};

const char* const count = "In the word \"berry\", how many R's are there?";

TEST_F(SessionTest, thinking_and_answer_come_apart_and_tags_are_not_shown) {
  const Whole reply = whole(question(count));
  EXPECT_EQ(reply.finish, Finish::stop);
  EXPECT_NE(reply.thinking, "");
  EXPECT_NE(reply.content, "");
  for (const char* tag : {"<think>", "</think>", "<|im_end|>"}) EXPECT_EQ((reply.thinking + reply.content).find(tag), std::string::npos);
}

TEST_F(SessionTest, the_same_seed_gives_the_same_reply_and_another_seed_another) {
  ReplyRequest request = question("Tell me about yourself.");
  ASSERT_TRUE(set_parameter(request.parameters, "temperature", "100"));  // so that no model is sure of anything
  ASSERT_TRUE(set_parameter(request.parameters, "top_p", "1"));
  ASSERT_TRUE(set_parameter(request.parameters, "top_k", "0"));
  ASSERT_TRUE(set_parameter(request.parameters, "min_p", "0"));
  ASSERT_TRUE(set_parameter(request.parameters, "num_predict", "40"));
  ASSERT_TRUE(set_parameter(request.parameters, "seed", "1"));
  const std::string first = whole(request).content, again = whole(request).content;
  ASSERT_TRUE(set_parameter(request.parameters, "seed", "2"));
  EXPECT_EQ(first, again);
  EXPECT_NE(first, whole(request).content);
}

TEST_F(SessionTest, a_stop_text_ends_the_reply_and_is_not_shown) {
  const std::string content = whole(question(count)).content;
  ReplyRequest request = question(count);
  const std::string stop = content.substr(content.size() / 2, 4);
  request.parameters.stop = {stop};
  const Whole reply = whole(request);
  EXPECT_EQ(reply.finish, Finish::stop);
  EXPECT_EQ(reply.content, content.substr(0, content.find(stop)));
}

TEST_F(SessionTest, the_longest_reply_is_kept) {
  ReplyRequest request = endless();
  request.parameters.num_predict = 7;
  const Whole reply = whole(request);
  EXPECT_EQ(reply.finish, Finish::length);
  EXPECT_EQ(reply.stats.reply_tokens, 7);
}

TEST_F(SessionTest, a_reply_without_end_fills_the_window) {
  const Whole reply = whole(endless());
  EXPECT_EQ(reply.finish, Finish::window_full);
  EXPECT_EQ(reply.stats.prompt_tokens + reply.stats.reply_tokens, 512);
}

TEST_F(SessionTest, a_cancelled_reply_ends) {
  auto reply = Session(*model).start(endless());
  ASSERT_TRUE(reply);
  (*reply)->cancel();
  while ((*reply)->finish() == Finish::running) (*reply)->next(milliseconds(1000));
  EXPECT_TRUE((*reply)->finish() == Finish::cancelled || (*reply)->finish() == Finish::window_full);
}

TEST_F(SessionTest, a_reply_nobody_waits_for_is_given_up) {
  { auto reply = Session(*model).start(endless()); }
  EXPECT_EQ(whole(question("Hello!")).finish, Finish::stop);
}

TEST_F(SessionTest, a_prompt_that_does_not_fit_is_refused) {
  std::string text;
  for (int i = 0; i < 600; ++i) text += "x ";
  const auto reply = Session(*model).start(question(text));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::too_large);
}

TEST_F(SessionTest, the_next_turn_does_not_compute_the_chat_again) {
  ReplyRequest request = question(count);
  const Whole first = whole(request);
  request.chat.messages.push_back({.role = "assistant", .content = first.content, .reasoning = first.thinking});
  request.chat.messages.push_back({.role = "user", .content = "Hello!"});
  const Whole second = whole(request);
  EXPECT_GT(second.stats.cached_tokens, first.stats.prompt_tokens / 2);
}

TEST_F(SessionTest, raw_text_is_continued_without_a_template) {
  ReplyRequest request;
  request.raw_prompt = RawText{"<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n"};
  const Whole raw = whole(request);
  EXPECT_EQ(raw.content, whole(question("Hello!")).content);
}

TEST_F(SessionTest, an_empty_prompt_is_an_answerable_error_or_an_answer) {
  ReplyRequest request;
  request.raw_prompt = RawText{""};
  request.parameters.num_predict = 3;
  EXPECT_TRUE(Session(*model).start(request));
}

TEST_F(SessionTest, what_a_template_says_of_a_chat_reaches_the_user) {
  auto loaded = load_model(mini, {.context_tokens = 512, .chat_template = "{{ raise_exception('roles must alternate') }}"}, *device);
  ASSERT_TRUE(loaded);
  const auto reply = Session(**loaded).start(question("Hello!"));
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().message.find("roles must alternate"), std::string::npos);
}

TEST_F(SessionTest, a_bias_outside_the_vocabulary_is_refused) {
  ReplyRequest request = question("Hello!");
  request.parameters.sampling.logit_bias.emplace().push_back({1'000'000, 1.0f});
  EXPECT_FALSE(Session(*model).start(request));
}

TEST(Host, a_template_that_does_not_parse_is_refused) {
  const auto device = make_cpu_backend({.threads = 1});
  const auto loaded = load_model(mini, {.chat_template = "{% for %}"}, *device);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("chat template"), std::string::npos);
}

TEST(Host, a_window_beyond_the_memory_is_refused_with_the_numbers) {
  const auto device = make_cpu_backend({.threads = 1});
  const auto loaded = load_model(mini, {.context_tokens = 2'000'000'000}, *device);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::out_of_memory);
  EXPECT_NE(loaded.error().message.find("GiB needed"), std::string::npos) << loaded.error().message;
}

TEST(Host, without_a_wish_the_window_is_the_models_own) {
  const auto device = make_cpu_backend({.threads = 1});
  const auto loaded = load_model(mini, {}, *device);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->context_tokens, (*loaded)->model->sizes().context);
  EXPECT_EQ((*loaded)->form, PromptForm::own_template);
}

TEST(Host, a_base_model_goes_on_with_the_text_of_the_chat) {
  const std::filesystem::path stories = std::filesystem::path(QN_SHARED_DATA) / "stories260K.gguf";
  if (!std::filesystem::exists(stories)) GTEST_SKIP() << "stories260K.gguf is not there";
  const auto device = make_cpu_backend({.threads = 1});
  const auto loaded = load_model(stories, {.context_tokens = 256}, *device);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->form, PromptForm::plain_text);
  text::Chat chat;
  chat.messages = {
      {.role = "user", .content = "Once"}, {.role = "assistant", .content = " upon a time"}, {.role = "user", .content = "Then"}};
  EXPECT_EQ(Session(**loaded).render(chat).value_or(""), "Once upon a time\nThen");
}

}  // namespace
}  // namespace qn::serve
