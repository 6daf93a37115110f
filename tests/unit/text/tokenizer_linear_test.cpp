// Time linear in the text, for text that makes merging or splitting work hardest, with the real Qwen vocabulary.
#include <gtest/gtest.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"

namespace qn::text {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double allowed_s = 20;
#else
constexpr double allowed_s = 1;
#endif

const std::filesystem::path qwen = std::filesystem::path(QN_SHARED_DATA) / "qwen2.5" / "tokenizer.json";

class RealVocabulary : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::ifstream file(qwen, std::ios::binary);
    if (!file) return;
    auto spec = read_tokenizer_json(std::string{std::istreambuf_iterator<char>(file), {}}, "");
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(spec->pre_split, PreSplit::qwen2);
    auto made = Tokenizer::make(*std::move(spec));
    ASSERT_TRUE(made) << made.error().message;
    tokenizer.emplace(*std::move(made));
  }
  static void TearDownTestSuite() { tokenizer.reset(); }
  void SetUp() override {
    if (!tokenizer) GTEST_SKIP() << "skipped: " << qwen << " is not there";
  }
  static inline std::optional<Tokenizer> tokenizer;
};

double cpu_seconds() {  // of this thread: what else the machine does is not our time
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::string repeated(std::string_view part, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += part;
  return out;
}

TEST_F(RealVocabulary, a_megabyte_of_anything_takes_less_than_a_second) {
  for (const std::string_view part : {"a",
                                      " ",
                                      "7",
                                      "\U0001F600",
                                      "\n",
                                      "\t ",
                                      " a",
                                      "a\u0301",
                                      "\u0301\u0323",
                                      "中",
                                      "<",
                                      "<|im_start|>",
                                      "<|im_end|",
                                      "'",
                                      "\xff",
                                      "ab",
                                      "=-",
                                      "\u200d",
                                      "\xe4\xb8",
                                      "\u1112\u1161\u11ab",
                                      "word "}) {
    const std::string text = repeated(part, 1'000'000);
    const double start = cpu_seconds();
    const std::vector<TokenId> ids = tokenizer->encode(text, {});
    const double seconds = cpu_seconds() - start;
    EXPECT_LT(seconds, allowed_s) << quoted(part) << ": " << ids.size() << " tokens";
    EXPECT_FALSE(ids.empty());
  }
}

TEST_F(RealVocabulary, a_sentence_has_the_ids_that_the_model_was_trained_on) {
  EXPECT_EQ(tokenizer->encode("<|im_start|>user\nHello, world! 你好 123<|im_end|>\n", {}),
            (std::vector<TokenId>{151644, 872, 198, 9707, 11, 1879, 0, 220, 108386, 220, 16, 17, 18, 151645, 198}));
  EXPECT_EQ(tokenizer->encode("<|im_end|>", {.specials = Specials::as_text}), (std::vector<TokenId>{27, 91, 318, 6213, 91, 29}));
}

TEST_F(RealVocabulary, decoding_gives_the_text_back) {
  const std::string text = "Grüße, 世界! \U0001F468\u200d\U0001F469 \u0633\u0644\u0627\u0645\r\n\tint x = 1;";
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, {}), false), text);
}

}  // namespace
}  // namespace qn::text
