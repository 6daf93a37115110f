// A GGUF file as tests and the corpus maker draw it: field by field, right or wrong on purpose, encoded without the project's writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qn::file {

// Little-endian bytes, one field after another.
class Bytes {
 public:
  template <class T>
  Bytes& put(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    out_.append(raw, sizeof(T));
    return *this;
  }
  Bytes& u8(std::uint8_t value) { return put(value); }
  Bytes& u32(std::uint32_t value) { return put(value); }
  Bytes& u64(std::uint64_t value) { return put(value); }
  Bytes& f32(float value) { return put(value); }
  Bytes& text(std::string_view value) { return u64(value.size()).raw(value); }
  Bytes& raw(std::string_view value) {
    out_ += value;
    return *this;
  }
  operator std::string() const { return out_; }
  const std::string& str() const { return out_; }

 private:
  std::string out_;
};

enum GgufTypeNumber : std::uint32_t { t_u8, t_i8, t_u16, t_i16, t_u32, t_i32, t_f32, t_bool, t_text, t_array, t_u64, t_i64, t_f64 };

struct GgufSketch {
  struct Key {
    std::string name;
    std::uint32_t type;
    std::string value;
  };
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::uint32_t type;
    std::uint64_t offset;
    std::optional<std::uint32_t> dimensions = {};  // said, where it is not shape.size()
  };
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::optional<std::uint64_t> tensor_count = {}, key_count = {};  // said, where they lie
  std::vector<Key> keys;
  std::vector<Tensor> tensors;
  std::uint64_t alignment = 32;
  std::size_t data_bytes = 0;

  std::string header() const {
    Bytes out;
    out.raw(magic).u32(version).u64(tensor_count.value_or(tensors.size())).u64(key_count.value_or(keys.size()));
    for (const Key& key : keys) out.text(key.name).u32(key.type).raw(key.value);
    for (const Tensor& tensor : tensors) {
      out.text(tensor.name).u32(tensor.dimensions.value_or(static_cast<std::uint32_t>(tensor.shape.size())));
      for (const std::uint64_t dimension : tensor.shape) out.u64(dimension);
      out.u32(tensor.type).u64(tensor.offset);
    }
    return out;
  }
  std::string encode() const {
    std::string out = header();
    out.resize((out.size() + alignment - 1) / alignment * alignment, '\0');
    for (std::size_t i = 0; i < data_bytes; ++i) out += static_cast<char>(i * 37);
    return out;
  }
};

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Two keys of plain values, two arrays, three tensors: F32 {8, 2}, Q8_0 {32, 2}, F16 {5}.
inline GgufSketch small_sketch() {
  GgufSketch file;
  file.keys = {
      {"general.architecture", t_text, Bytes().text("toy")},
      {"toy.block_count", t_u32, Bytes().u32(2)},
      {"toy.flags", t_array, Bytes().u32(t_bool).u64(3).u8(1).u8(0).u8(1)},
      {"toy.words", t_array, Bytes().u32(t_text).u64(2).text("one").text("a longer one, kept on the heap")},
  };
  file.tensors = {{"a.weight", {8, 2}, 0, 0}, {"b.weight", {32, 2}, 8, 64}, {"c.bias", {5}, 1, 160}};
  file.data_bytes = 160 + 10;
  return file;
}

// A vocabulary of six byte-level tokens with one merge, as converters write it.
inline GgufSketch vocab_sketch() {
  GgufSketch file;
  Bytes tokens, types;
  tokens.u32(t_text).u64(6);
  for (const std::string_view token : {"a", "b", "ab", "<think>", "<|im_end|>", "<|endoftext|>"}) tokens.text(token);
  types.u32(t_i32).u64(6);
  for (const std::uint32_t type : {1u, 1u, 1u, 4u, 3u, 3u}) types.u32(type);
  file.keys = {
      {"tokenizer.ggml.model", t_text, Bytes().text("gpt2")},
      {"tokenizer.ggml.pre", t_text, Bytes().text("qwen2")},
      {"tokenizer.ggml.tokens", t_array, tokens},
      {"tokenizer.ggml.token_type", t_array, types},
      {"tokenizer.ggml.merges", t_array, Bytes().u32(t_text).u64(1).text("a b")},
      {"tokenizer.ggml.eos_token_id", t_u32, Bytes().u32(5)},
      {"tokenizer.ggml.padding_token_id", t_u32, Bytes().u32(0xffffffff)},
      {"tokenizer.ggml.add_bos_token", t_bool, Bytes().u8(0)},
  };
  return file;
}

}  // namespace qn::file
