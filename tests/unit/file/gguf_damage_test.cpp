// Damage nobody thought of: a file cut at every byte, and 2,000 seeded mutants. Each is refused, or what is read is inside the file.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "base/random.h"
#include "file/gguf_reader.h"
#include "unit/file/gguf_sketch.h"

namespace qn::file {
namespace {

// Of exactly its size on the heap, so that AddressSanitizer sees one byte too many.
class Image {
 public:
  explicit Image(std::string_view text) : size_(text.size()), bytes_(std::make_unique<std::byte[]>(size_)) {
    std::transform(text.begin(), text.end(), bytes_.get(), [](char c) { return static_cast<std::byte>(c); });
  }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

// Follows every tensor, as a backend would.
void expect_sound(const GgufFile& file, std::span<const std::byte> image) {
  unsigned sum = 0;
  for (const TensorEntry& tensor : file.tensors) {
    ASSERT_GE(tensor.bytes.data(), image.data());
    ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(), image.data() + image.size());
    ASSERT_EQ(tensor.bytes.size(), static_cast<std::size_t>(tensor.rows()) * tensor.format->row_bytes(tensor.columns()));
    for (const std::byte b : tensor.bytes) sum += std::to_integer<unsigned>(b);
  }
  EXPECT_GE(sum, 0u);
}

TEST(GgufDamage, a_file_cut_at_any_byte_is_refused) {
  for (const GgufSketch& sketch : {small_sketch(), vocab_sketch()}) {
    const std::string whole = sketch.encode();
    const std::size_t end = sketch.tensors.empty() ? sketch.header().size() : whole.size();  // padding after the last key may be missing
    for (std::size_t length = 0; length < end; ++length) {
      const Image image(std::string_view(whole).substr(0, length));
      const auto read = parse_gguf(image.bytes(), "m.gguf");
      ASSERT_FALSE(read) << "cut at " << length;
      EXPECT_TRUE(read.error().code == Code::bad_input) << read.error().message;
    }
  }
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : seed_(seed) {}

  void mutate(std::string& file) {
    const std::uint32_t changes = 1 + draw(3);
    for (std::uint32_t i = 0; i < changes && !file.empty(); ++i) mutate_once(file);
  }

 private:
  std::uint32_t draw(std::uint32_t below) { return philox(seed_, counter_++)[0] % below; }
  std::size_t place(const std::string& file) { return draw(static_cast<std::uint32_t>(file.size())); }

  void mutate_once(std::string& file) {
    static constexpr std::uint64_t edges[] = {0,
                                              1,
                                              2,
                                              7,
                                              8,
                                              31,
                                              32,
                                              33,
                                              255,
                                              65'536,
                                              0x7fffffff,
                                              0x80000000,
                                              0xffffffff,
                                              0x100000000,
                                              (1ull << 32) + 8,
                                              1ull << 60,
                                              1ull << 61,
                                              1ull << 63,
                                              UINT64_MAX - 31,
                                              UINT64_MAX};
    const std::size_t at = place(file);
    switch (draw(6)) {
      case 0: file[at] = static_cast<char>(file[at] ^ (1 << draw(8))); return;
      case 1: file[at] = static_cast<char>(draw(256)); return;
      case 2:
      case 3: {  // a count, size, type or offset with a value at an edge
        const std::uint64_t value = edges[draw(std::size(edges))];
        const std::size_t width = draw(2) == 0 ? 4 : 8;
        if (file.size() - at >= width) std::memcpy(file.data() + at, &value, width);
        return;
      }
      case 4: file.erase(at, 1 + draw(24)); return;
      case 5: file.insert(place(file), file.substr(at, 1 + draw(40))); return;
    }
  }

  std::uint64_t seed_;
  std::uint64_t counter_ = 0;
};

TEST(GgufDamage, no_mutant_of_2000_does_harm) {
  const std::string originals[] = {small_sketch().encode(), vocab_sketch().encode()};
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    std::string mutant = originals[seed % 2];
    Mutator(seed).mutate(mutant);
    const Image image(mutant);
    const auto read = parse_gguf(image.bytes(), "m.gguf");
    if (!read) {
      EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
      continue;
    }
    ++accepted;
    expect_sound(*read, image.bytes());
    if (const auto vocab = read_vocab(read->metadata)) {
      for (const TokenId id : vocab->end_of_turn) EXPECT_LT(static_cast<std::size_t>(id), vocab->tokens.size());
    }
  }
  EXPECT_GT(accepted, 50) << "the mutants are too wild to reach past the header";
}

}  // namespace
}  // namespace qn::file
