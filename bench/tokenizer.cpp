// Megabytes of text a second, one thread, with the real Qwen2.5 vocabulary where it is at hand.
// English is the licence texts that Debian ships, repeated to 8 MiB; there is no cache of pieces, so repeating only keeps the tables warm,
// as any English does. "words" draws from the same words at random: no sentence comes twice.
//   QN_TOKENIZER=path/to/tokenizer.json bench_tokenizer
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "text/tokenizer/tokenizer.h"
#include "text/tokenizer/tokenizer_json.h"

namespace {

using namespace qn;
using namespace qn::text;

constexpr std::size_t text_bytes = std::size_t{8} << 20;

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

const Tokenizer* tokenizer() {
  static const std::optional<Tokenizer> made = []() -> std::optional<Tokenizer> {
    const char* path = std::getenv("QN_TOKENIZER");
    auto spec = read_tokenizer_json(contents(path != nullptr ? path : "../shared/data/qwen2.5/tokenizer.json"), "");
    if (!spec) return std::nullopt;
    auto result = Tokenizer::make(*std::move(spec));
    if (!result) return std::nullopt;
    return std::optional<Tokenizer>(*std::move(result));
  }();
  return made ? &*made : nullptr;
}

std::string licences() {
  std::string text;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/share/common-licenses", missing)) text += contents(entry.path());
  return text.empty() ? "The quick brown fox jumps over the lazy dog. " : text;
}

std::string repeated(const std::string& part) {
  std::string text;
  while (text.size() < text_bytes) text += part;
  return text;
}

std::string words_at_random() {
  std::vector<std::string> words;
  std::string word;
  for (const char c : licences()) {
    if (c != ' ' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  std::mt19937_64 random(1);
  std::string text;
  while (text.size() < text_bytes) text += words[random() % words.size()] + (random() % 12 == 0 ? "\n" : " ");
  return text;
}

void encode(benchmark::State& state, const std::string& text) {
  if (tokenizer() == nullptr) return state.SkipWithError("no vocabulary: set QN_TOKENIZER to a tokenizer.json");
  std::size_t tokens = 0;
  for (auto _ : state) {
    const std::vector<TokenId> ids = tokenizer()->encode(text, {});
    tokens = ids.size();
    benchmark::DoNotOptimize(ids.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.counters["bytes_per_token"] = static_cast<double>(text.size()) / static_cast<double>(tokens);
}

void decode(benchmark::State& state, const std::string& text) {
  if (tokenizer() == nullptr) return state.SkipWithError("no vocabulary: set QN_TOKENIZER to a tokenizer.json");
  const std::vector<TokenId> ids = tokenizer()->encode(text, {});
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer()->decode(ids, false).data());
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void load(benchmark::State& state) {
  const char* path = std::getenv("QN_TOKENIZER");
  const std::string file = contents(path != nullptr ? path : "../shared/data/qwen2.5/tokenizer.json");
  for (auto _ : state) {
    auto spec = read_tokenizer_json(file, "");
    if (!spec) return state.SkipWithError("no vocabulary: set QN_TOKENIZER to a tokenizer.json");
    benchmark::DoNotOptimize(Tokenizer::make(*std::move(spec)).has_value());
  }
}

BENCHMARK_CAPTURE(encode, english, repeated(licences()))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, english_words_at_random, words_at_random())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, chinese, repeated("我能吞下玻璃而不伤身体。北京是中华人民共和国的首都，人口超过两千万。"))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, code, repeated("for (int i = 0; i < n; ++i) {\n\tsum += values[i] * 2;  // twice\n}\n"))
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, one_letter, repeated("a"))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode, english, repeated(licences()))->Unit(benchmark::kMillisecond);
BENCHMARK(load)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
