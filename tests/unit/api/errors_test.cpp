#include "api/errors.h"

#include <gtest/gtest.h>

namespace qn::api {
namespace {

TEST(ApiErrors, an_error_has_five_spellings) {
  const ApiError error{Condition::bad_key, "no valid API key was given; send one as Authorization: Bearer KEY"};
  EXPECT_EQ(error_response(error, Dialect::openai, "r1").body,
            R"({"error":{"message":"no valid API key was given; send one as Authorization: Bearer KEY","type":"authentication_error",)"
            R"("param":null,"code":"invalid_api_key"}})");
  EXPECT_EQ(error_response(error, Dialect::ollama, "r1").body, R"({"error":"unauthorized"})");
  EXPECT_EQ(error_response(error, Dialect::anthropic, "r1").body,
            R"({"type":"error","error":{"type":"authentication_error","message":"no valid API key was given; send one as Authorization: )"
            R"(Bearer KEY"},"request_id":"r1"})");
  EXPECT_EQ(
      error_response(error, Dialect::native, "r1").body,
      R"({"error":{"code":401,"message":"no valid API key was given; send one as Authorization: Bearer KEY","type":"authentication_error"}})");
}

TEST(ApiErrors, a_full_queue_is_503_with_retry_after_and_529_for_anthropic) {
  const ApiError error{Condition::overloaded, "the queue is full"};
  EXPECT_EQ(error_response(error, Dialect::openai, "").status, 503);
  EXPECT_EQ(error_response(error, Dialect::anthropic, "").status, 529);
  EXPECT_EQ(error_response(error, Dialect::ollama, "").body,
            R"({"error":"server busy, please try again.  maximum pending requests exceeded"})");
  for (const Dialect dialect : {Dialect::openai, Dialect::ollama, Dialect::anthropic, Dialect::native}) {
    const HttpResponse response = error_response(error, dialect, "");
    ASSERT_EQ(response.headers.size(), 1u);
    EXPECT_EQ(response.headers[0], (std::pair<std::string, std::string>{"Retry-After", "1"}));
  }
}

TEST(ApiErrors, a_prompt_over_the_window_has_the_words_that_clients_match_on) {
  EXPECT_EQ(
      prompt_too_long(Dialect::openai, 5000, 100, 4096).message,
      "This model's maximum context length is 4096 tokens. However, you requested 100 output tokens and your prompt contains 5000 input "
      "tokens, for a total of 5100 tokens. Please reduce the length of the input prompt or the number of requested output tokens.");
  EXPECT_EQ(prompt_too_long(Dialect::anthropic, 5000, 100, 4096).message, "prompt is too long: 5000 tokens > 4096 maximum");
  const std::string native = error_response(prompt_too_long(Dialect::native, 5000, 100, 4096), Dialect::native, "").body;
  EXPECT_NE(native.find(R"("n_prompt_tokens":5000,"n_ctx":4096)"), std::string::npos) << native;
}

TEST(ApiErrors, a_broken_stream_ends_in_the_words_of_its_dialect) {
  const ApiError error{Condition::internal, "it broke"};
  EXPECT_EQ(stream_error(error, Dialect::openai, ""),
            "data: {\"error\":{\"message\":\"it broke\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n");
  EXPECT_EQ(stream_error(error, Dialect::ollama, ""), "{\"error\":\"it broke\"}\n");
  EXPECT_TRUE(stream_error(error, Dialect::anthropic, "").starts_with("event: error\ndata: {\"type\":\"error\""));
  EXPECT_TRUE(stream_error(error, Dialect::responses, "").starts_with("event: response.failed\ndata: {"));
}

TEST(ApiErrors, what_the_client_cannot_have_caused_is_not_told_to_it) {
  EXPECT_EQ(to_api_error({Code::io, "/var/lib/model.gguf: permission denied"}).message, "the server failed; its log says why");
  EXPECT_EQ(to_api_error({Code::bad_input, "top_k: expected an integer"}).condition, Condition::bad_request);
}

TEST(ApiErrors, a_path_without_an_endpoint_is_answered_in_the_dialect_of_its_beginning) {
  EXPECT_EQ(dialect_of_path("/api/nothing"), Dialect::ollama);
  EXPECT_EQ(dialect_of_path("/apiary"), Dialect::native);
  EXPECT_EQ(dialect_of_path("/v1/messages/count_tokens"), Dialect::anthropic);
  EXPECT_EQ(dialect_of_path("/v1/v1/models"), Dialect::openai);
}

}  // namespace
}  // namespace qn::api
