// vllm serve and llama-server: their published lines become ours.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/persona.h"

namespace qn::cli {
namespace {

Result<Translation> as(std::string_view tool, const std::vector<std::string>& args) {
  for (const Persona& persona : all_personas())
    if (persona.tool == tool && persona.command == "serve") return translate(persona, args);
  return fail(Code::not_found, "no persona");
}

void expect_args(const Result<Translation>& ours, std::initializer_list<std::string_view> wanted) {
  ASSERT_TRUE(ours) << ours.error().message;
  for (std::string_view flag : wanted)
    EXPECT_NE(std::find(ours->args.begin(), ours->args.end(), flag), ours->args.end())
        << flag << " among " << fmt::format("{}", fmt::join(ours->args, " "));
}

TEST(VllmServe, a_published_line_becomes_ours) {
  const auto ours = as("vllm", {"ckpts/qwq-32b-q4_k_m.gguf", "--api-key", "123", "--port", "3002", "--tensor-parallel-size", "2",
                                "--max-model-len", "8192"});
  expect_args(ours, {"ckpts/qwq-32b-q4_k_m.gguf", "--api-key=123", "--port=3002", "--tensor-parallel=2", "--max-model-len=8192", "--host=*",
                     "--served-model-name=ckpts/qwq-32b-q4_k_m.gguf"});
}

TEST(VllmServe, the_long_line_says_once_what_has_no_effect) {
  const auto ours = as("vllm", {"--model",
                                "/model/Qwen3-32B-AWQ",
                                "--served-model-name",
                                "coder",
                                "--tensor-parallel-size",
                                "4",
                                "--dtype",
                                "half",
                                "--quantization",
                                "awq",
                                "--max-model-len",
                                "32768",
                                "--max-num-batched-tokens",
                                "4096",
                                "--gpu-memory-utilization",
                                "0.93",
                                "--block-size",
                                "32",
                                "--enable-chunked-prefill",
                                "--swap-space",
                                "16",
                                "--tokenizer-pool-size",
                                "56",
                                "--disable-custom-all-reduce",
                                "--chat-template",
                                "/app/qwen3_nonthinking.jinja"});
  expect_args(ours, {"--model=/model/Qwen3-32B-AWQ", "--served-model-name=coder", "--max-num-batched-tokens=4096", "--block-size=32",
                     "--chat-template=/app/qwen3_nonthinking.jinja"});
  for (std::string_view flag : {"--swap-space", "--tokenizer-pool-size", "--disable-custom-all-reduce", "--quantization", "--dtype"})
    EXPECT_EQ(std::count_if(ours->notes.begin(), ours->notes.end(), [&](const std::string& note) { return note.starts_with(flag); }), 1)
        << flag;
}

TEST(VllmServe, several_names_and_keys_may_follow_one_flag) {
  expect_args(as("vllm", {"m", "--served-model-name", "a", "b", "--api-key", "x", "y", "--port", "1"}),
              {"--served-model-name=a", "--served-model-name=b", "--api-key=x", "--api-key=y", "--port=1"});
}

TEST(VllmServe, underscores_are_dashes_and_a_value_may_stand_behind_an_equals_sign) {
  expect_args(as("vllm", {"m_1", "--max_model_len=4096", "-tp=2"}), {"m_1", "--max-model-len=4096", "--tensor-parallel=2"});
}

TEST(VllmServe, values_that_are_written_otherwise_here_are_rewritten) {
  expect_args(as("vllm", {"m", "--kv-cache-dtype", "fp8", "--allowed-origins", R"(["http://a", "http://b"])", "--uds", "/tmp/x",
                          "--speculative-config", R"({"method": "ngram", "num_speculative_tokens": 4})"}),
              {"--kv-type=q8_0", "--allowed-origin=http://a,http://b", "--host=unix:/tmp/x", "--speculative=4"});
  const auto other = as("vllm", {"m", "--speculative-config", R"({"method": "eagle3", "num_speculative_tokens": 4})"});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message.find("--speculative-config: 'eagle3'"), std::string::npos) << other.error().message;
}

TEST(VllmServe, without_a_key_only_this_machine_is_let_in_unless_told) {
  expect_args(as("vllm", {"m"}), {"--host=127.0.0.1", "--port=8000"});
  expect_args(as("vllm", {"m", "--host", "0.0.0.0"}), {"--host=0.0.0.0", "--insecure-no-auth"});
  const auto guarded = as("vllm", {"m", "--host", "0.0.0.0", "--api-key", "k"});
  ASSERT_TRUE(guarded);
  EXPECT_FALSE(guarded->has("--insecure-no-auth"));
}

TEST(VllmServe, an_unknown_flag_names_the_nearest) {
  const auto ours = as("vllm", {"m", "--max-model-length", "5"});
  ASSERT_FALSE(ours);
  EXPECT_NE(ours.error().message.find("did you mean --max-model-len?"), std::string::npos) << ours.error().message;
}

TEST(LlamaServer, the_published_line_becomes_ours) {
  const auto ours = as("llama-server", {"--model",
                                        "./Qwen_QwQ-32B-IQ4_XS.gguf",
                                        "--alias",
                                        "QwQ-32B",
                                        "--n-gpu-layers",
                                        "65",
                                        "--ctx-size",
                                        "32768",
                                        "--parallel",
                                        "1",
                                        "--cache-type-k",
                                        "q8_0",
                                        "--cache-type-v",
                                        "q8_0",
                                        "--threads",
                                        "16",
                                        "--flash-attn",
                                        "--mlock",
                                        "--n-predict",
                                        "-1",
                                        "--jinja",
                                        "--chat-template-file",
                                        "./chat_templates/QwQ.jinja",
                                        "--host",
                                        "0.0.0.0",
                                        "--port",
                                        "8000"});
  expect_args(ours, {"--model=./Qwen_QwQ-32B-IQ4_XS.gguf", "--alias=QwQ-32B", "--ctx=32768", "--parallel=1", "--cache-type-k=q8_0",
                     "--mlock", "--predict=-1", "--chat-template-file=./chat_templates/QwQ.jinja", "--host=0.0.0.0", "--port=8000",
                     "--any-name", "--insecure-no-auth"});
  EXPECT_TRUE(std::any_of(ours->notes.begin(), ours->notes.end(),
                          [](const std::string& note) { return note.find("--api-key") != std::string::npos; }));
}

TEST(LlamaServer, the_port_is_its_own_and_the_model_is_called_as_its_file) {
  expect_args(as("llama-server", {"-m", "x.gguf"}), {"--port=8080", "--served-model-name=x.gguf"});
}

TEST(LlamaServer, drafts_come_from_the_text) {
  expect_args(as("llama-server", {"-m", "x", "--spec-type", "ngram-mod"}), {"--speculative=3"});
  EXPECT_FALSE(as("llama-server", {"-m", "x", "-md", "draft.gguf"}));
}

TEST(OllamaServe, flags_of_ours_may_follow) {
  expect_args(as("ollama", {"--port", "0"}), {"--port", "0"});
}

}  // namespace
}  // namespace qn::cli
