#include "golden/random_model.h"

#include <cmath>
#include <cstring>

#include "base/random.h"

namespace qn::golden {
namespace {

constexpr int width = 256, feed_forward = 512, kv_width = 128;

// Blocks of random bytes, each drawn again until its weights are of a size that a model has.
std::vector<std::byte> random_blocks(const quant::Format& format, std::size_t weights, std::uint64_t seed, std::uint32_t stream) {
  const std::size_t count = weights / static_cast<std::size_t>(format.block_weights);
  const auto block_bytes = static_cast<std::size_t>(format.block_bytes);
  std::vector<std::byte> out(count * block_bytes);
  std::vector<float> values(static_cast<std::size_t>(format.block_weights));
  std::uint64_t draw = 0;
  for (std::size_t block = 0; block < count; ++block) {
    std::byte* bytes = out.data() + block * block_bytes;
    for (bool sane = false; !sane;) {
      for (std::size_t at = 0; at < block_bytes; at += 4) {
        const std::uint32_t word = philox(seed, draw++, stream)[0];
        std::memcpy(bytes + at, &word, std::min<std::size_t>(4, block_bytes - at));
      }
      format.dequantize(bytes, values.data(), 1);
      float largest = 0;
      bool finite = true;
      for (const float value : values) {
        finite = finite && std::isfinite(value);
        largest = std::max(largest, std::fabs(value));
      }
      sane = finite && largest > 0.02f && largest < 0.3f;
    }
  }
  return out;
}

std::vector<std::byte> floats(std::size_t count, float centre, std::uint64_t seed, std::uint32_t stream) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = centre + (uniform(seed, i, stream) - 0.5f) * 0.5f;
  std::vector<std::byte> out(count * sizeof(float));
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}

}  // namespace

RandomModel random_model(std::uint64_t seed) {
  RandomModel out;
  auto checkpoint = std::make_shared<file::Checkpoint>();
  file::Metadata& m = checkpoint->metadata;
  m.set("general.architecture", std::string("qwen2"));
  m.set("qwen2.block_count", std::uint32_t{random_model_layers});
  m.set("qwen2.context_length", std::uint32_t{4096});
  m.set("qwen2.embedding_length", std::uint32_t{width});
  m.set("qwen2.feed_forward_length", std::uint32_t{feed_forward});
  m.set("qwen2.attention.head_count", std::uint32_t{4});
  m.set("qwen2.attention.head_count_kv", std::uint32_t{2});
  m.set("qwen2.attention.layer_norm_rms_epsilon", 1e-6f);

  std::uint32_t stream = 0;
  const auto add = [&](std::string name, std::int64_t columns, std::int64_t rows, const char* format_name, float centre) {
    const quant::Format* format = quant::find_format(format_name);
    const auto count = static_cast<std::size_t>(columns * rows);
    out.storage.push_back(std::string_view(format_name) == "F32" ? floats(count, centre, seed, stream)
                                                                 : random_blocks(*format, count, seed, stream));
    ++stream;
    checkpoint->tensors.push_back({std::move(name), format, {columns, rows}, out.storage.back()});
  };
  add("token_embd.weight", width, random_model_vocab, "Q6_K", 0);
  add("output_norm.weight", width, 1, "F32", 1);
  // Two rows of formats, one a layer, so that the model meets fourteen of them.
  const char* formats[random_model_layers][7] = {{"Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "Q3_K", "Q8_0", "Q2_K"},
                                                 {"F16", "BF16", "Q4_0", "Q5_1", "IQ3_S", "MXFP4", "TQ2_0"}};
  for (int layer = 0; layer < random_model_layers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    const auto& f = formats[layer];
    add(block + "attn_norm.weight", width, 1, "F32", 1);
    add(block + "attn_q.weight", width, width, f[0], 0);
    add(block + "attn_k.weight", width, kv_width, f[1], 0);
    add(block + "attn_v.weight", width, kv_width, f[2], 0);
    add(block + "attn_q.bias", width, 1, "F32", 0);
    add(block + "attn_k.bias", kv_width, 1, "F32", 0);
    add(block + "attn_v.bias", kv_width, 1, "F32", 0);
    add(block + "attn_output.weight", width, width, f[3], 0);
    add(block + "ffn_norm.weight", width, 1, "F32", 1);
    add(block + "ffn_gate.weight", width, feed_forward, f[4], 0);
    add(block + "ffn_up.weight", width, feed_forward, f[5], 0);
    add(block + "ffn_down.weight", feed_forward, width, f[6], 0);
  }
  checkpoint->index();
  out.checkpoint = std::move(checkpoint);
  return out;
}

}  // namespace qn::golden
