#include "cli/bench/mix.h"

#include <algorithm>
#include <cctype>

namespace qn::cli {
namespace {

const quant::Format& known(std::string_view name) {
  const quant::Format* format = quant::find_format(name);
  QN_CHECK(format != nullptr, "a format of the registry");
  return *format;
}

bool takes_more_bits(int layer, int layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

// Where rows are no whole number of blocks, the nearest format with smaller blocks.
const quant::Format& fitting(const quant::Format& format, std::int64_t columns) {
  struct Fallback {
    std::string_view from, to;
  };
  static constexpr Fallback fallbacks[] = {{"Q4_K", "Q5_0"}, {"Q5_K", "Q5_1"},  {"Q6_K", "Q8_0"}, {"Q2_K", "Q4_0"},
                                           {"Q3_K", "Q4_0"}, {"TQ1_0", "Q4_0"}, {"TQ2_0", "Q4_0"}};
  if (columns % format.block_weights == 0) return format;
  const auto* row = std::find_if(std::begin(fallbacks), std::end(fallbacks), [&](const Fallback& f) { return f.from == format.name; });
  const quant::Format& smaller = known(row == std::end(fallbacks) ? "IQ4_NL" : row->to);
  return columns % smaller.block_weights == 0 ? smaller : known("F16");
}

}  // namespace

Result<Mix> find_mix(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper == "Q4_K_M") return Mix{upper, &known("Q4_K"), &known("Q6_K")};
  if (upper == "Q5_K_M") return Mix{upper, &known("Q5_K"), &known("Q6_K")};
  const quant::Format* format = quant::find_format(name);
  if (format != nullptr) return Mix{std::string(format->name), format, nullptr};
  std::string names = "Q4_K_M, Q5_K_M";
  for (const quant::Format& one : quant::formats()) names += ", " + std::string(one.name);
  return fail(Code::not_found, "--quant: {} is not known; known are {}", quoted(name), names);
}

const quant::Format& format_of(const Mix& mix, const Shape& shape, const ShapeTensor& tensor) {
  if (tensor.row->use == Use::vector) return known("F32");
  const bool output = tensor.row->key == "output" || (tensor.row->key == "token_embd" && shape.output == Head::tied);
  const bool small = mix.base->kind == quant::Kind::plain || mix.base->name == "Q8_0";
  const bool varies = tensor.row->key == "attn_v" || tensor.row->key == "ffn_down";
  const quant::Format* wanted = mix.base;
  if (output && !small) wanted = &known("Q6_K");
  if (varies && mix.more != nullptr && takes_more_bits(tensor.layer, shape.layers)) wanted = mix.more;
  return fitting(*wanted, tensor.columns);
}

}  // namespace qn::cli
