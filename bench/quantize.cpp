// Writing each format, against llama.cpp's own quantizer: error, and speed of the two in turn, on one thread.
//   bench_quantize LIBGGML_BASE.so MODEL.gguf [TYPE]...
// The library is an installed llama.cpp's; the matrices of MODEL are one of the three sets of weights. Prints Markdown.
#include <dlfcn.h>
#include <time.h>

#include <cstdio>
#include <string>

#include "../tests/unit/quant/sample_weights.h"
#include "file/checkpoint.h"

namespace {

using namespace qn;
using quant::Format;

constexpr std::size_t columns = quant::sample_columns;
constexpr int pairs = 5;  // of timings

struct Peer {
  std::size_t (*write)(int type, const float* from, void* to, std::int64_t first, std::int64_t rows, std::int64_t columns,
                       const float* importance);
  void (*prepare)(int type);
};

double thread_seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

struct Case {
  const Format& format;
  const std::vector<float>& values;
  std::vector<float> importance;  // empty, or one for each column

  double error_of(const std::vector<std::byte>& blocks) const {
    std::vector<float> back(values.size());
    format.dequantize(blocks.data(), back.data(), values.size() / static_cast<std::size_t>(format.block_weights));
    return quant::relative_error(values, back, importance);
  }

  void write(std::vector<std::byte>& blocks) const {
    const std::size_t row_bytes = format.row_bytes(columns);
    for (std::size_t row = 0; row * columns < values.size(); ++row)
      format.quantize(values.data() + row * columns, importance.empty() ? nullptr : importance.data(), blocks.data() + row * row_bytes,
                      columns / static_cast<std::size_t>(format.block_weights));
  }

  // The peer refuses some types without importance: a uniform one then.
  void write(const Peer& peer, std::vector<std::byte>& blocks) const {
    static const std::vector<float> uniform(columns, 1.0F);
    const float* given = importance.empty() ? (format.needs_importance ? uniform.data() : nullptr) : importance.data();
    peer.write(static_cast<int>(format.gguf_type), values.data(), blocks.data(), 0, static_cast<std::int64_t>(values.size() / columns),
               columns, given);
  }
};

struct Outcome {
  double error = 0, peer_error = 0;
  double rate = 0, peer_rate = 0;  // million weights a second, the fastest of `pairs`
};

Outcome compare(const Case& c, const Peer& peer) {
  std::vector<std::byte> ours(c.format.row_bytes(static_cast<std::int64_t>(c.values.size()))), theirs(ours.size());
  double seconds = 1e9, peer_seconds = 1e9;
  for (int pair = 0; pair < pairs; ++pair) {
    const double start = thread_seconds();
    c.write(ours);
    const double middle = thread_seconds();
    c.write(peer, theirs);
    seconds = std::min(seconds, middle - start);
    peer_seconds = std::min(peer_seconds, thread_seconds() - middle);
  }
  const double millions = static_cast<double>(c.values.size()) * 1e-6;
  return {c.error_of(ours), c.error_of(theirs), millions / seconds, millions / peer_seconds};
}

std::vector<float> matrices_of(const char* path) {
  std::vector<float> values;
  const auto checkpoint = file::open_gguf(path);
  if (!checkpoint) return values;
  for (const file::TensorEntry& tensor : checkpoint->tensors) {
    if (tensor.shape.size() < 2) continue;
    const std::size_t first = values.size();
    values.resize(first + static_cast<std::size_t>(tensor.columns() * tensor.rows()));
    tensor.format->dequantize(tensor.bytes.data(), values.data() + first,
                              (values.size() - first) / static_cast<std::size_t>(tensor.format->block_weights));
  }
  values.resize(std::min(values.size() / columns * columns, quant::sample_count));
  return values;
}

}  // namespace

int main(int count, char** words) {
  void* library = count > 2 ? dlopen(words[1], RTLD_NOW) : nullptr;
  if (library == nullptr) {
    std::fprintf(stderr, "bench_quantize: no library; give libggml-base.so and a model\n");
    return 1;
  }
  const Peer peer{reinterpret_cast<decltype(Peer::write)>(dlsym(library, "ggml_quantize_chunk")),
                  reinterpret_cast<decltype(Peer::prepare)>(dlsym(library, "ggml_quantize_init"))};
  const std::vector<float> samples[3] = {quant::normal_weights(), quant::heavy_weights(), matrices_of(words[2])};
  for (const bool weighted : {false, true}) {
    std::printf(
        "\n%s importance:\n\n| type | bits | normal | heavy-tailed | trained | Mweights/s | ratio |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        weighted ? "With" : "Without");
    for (const Format& format : quant::formats()) {
      bool wanted = format.quantize != nullptr && format.name != "F32" && count == 3;
      for (int i = 3; i < count; ++i) wanted = wanted || format.name == words[i];
      if (!wanted) continue;
      peer.prepare(static_cast<int>(format.gguf_type));
      std::printf("| %s | %.4g |", std::string(format.name).c_str(), 8.0 * format.block_bytes / format.block_weights);
      double seconds = 0, peer_seconds = 0;
      for (const std::vector<float>& values : samples) {
        const Outcome out = compare({format, values, weighted ? quant::sample_importance() : std::vector<float>{}}, peer);
        std::printf(" %.5f / %.5f%s |", out.error, out.peer_error, out.error > out.peer_error ? " !" : "");
        seconds += 1 / out.rate;
        peer_seconds += 1 / out.peer_rate;
      }
      std::printf(" %.1f / %.1f | %.1f |\n", 3 / seconds, 3 / peer_seconds, peer_seconds / seconds);
      std::fflush(stdout);
    }
  }
}
