// Lets the Python oracle call the formats:  oracle_quant (dequantize|evaluate|quantize) FORMAT <bytes >bytes
//   dequantize   blocks in, f32 out
//   evaluate     blocks in, f64 out: what unpack's integers say, d * scale * code - dmin * min in double
//   quantize     f32 in, blocks out
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "quant/format.h"

namespace {

using qn::quant::Format;
using qn::quant::IntBlock;

std::vector<std::byte> read_all(std::FILE* in) {
  std::vector<std::byte> bytes;
  std::byte buffer[1 << 16];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, in)) bytes.insert(bytes.end(), buffer, buffer + count);
  return bytes;
}

template <class T>
int write_all(const std::vector<T>& values) {
  return std::fwrite(values.data(), sizeof(T), values.size(), stdout) == values.size() ? 0 : 1;
}

std::vector<float> dequantize(const Format& format, const std::vector<std::byte>& bytes) {
  const std::size_t block_count = bytes.size() / static_cast<std::size_t>(format.block_bytes);
  std::vector<float> values(block_count * static_cast<std::size_t>(format.block_weights));
  format.dequantize(bytes.data(), values.data(), block_count);
  return values;
}

std::vector<double> evaluate(const Format& format, const std::vector<std::byte>& bytes) {
  std::vector<double> values;
  IntBlock ints;
  for (std::size_t at = 0; at < bytes.size(); at += static_cast<std::size_t>(format.block_bytes)) {
    format.unpack(bytes.data() + at, ints);
    for (int i = 0; i < format.block_weights; ++i) {
      const int group = i / qn::quant::group_weights;
      values.push_back(double{ints.d} * ints.scale[group] * ints.code[i] - double{ints.dmin} * ints.min[group]);
    }
  }
  return values;
}

std::vector<std::byte> quantize(const Format& format, const std::vector<std::byte>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  const std::size_t block_count = values.size() / static_cast<std::size_t>(format.block_weights);
  std::vector<std::byte> blocks(block_count * static_cast<std::size_t>(format.block_bytes));
  format.quantize(values.data(), nullptr, blocks.data(), block_count);
  return blocks;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  const Format* format = argc == 3 ? qn::quant::find_format(std::string_view(argv[2])) : nullptr;
  if (format == nullptr) {
    std::fputs("usage: oracle_quant (dequantize|evaluate|quantize) FORMAT <bytes >bytes\n", stderr);
    return 2;
  }
  const std::vector<std::byte> bytes = read_all(stdin);
  if (verb == "dequantize") return write_all(dequantize(*format, bytes));
  if (verb == "evaluate" && format->unpack != nullptr) return write_all(evaluate(*format, bytes));
  if (verb == "quantize" && format->quantize != nullptr) return write_all(quantize(*format, bytes));
  std::fputs("oracle_quant: this format has no such function\n", stderr);
  return 2;
}
