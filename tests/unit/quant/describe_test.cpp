// A format is one struct: here one that GGUF does not have, to show that nothing else needs to know it.
#include "quant/describe.h"

#include <gtest/gtest.h>

namespace qn::quant {
namespace {

// 32 signs under one f16 factor.   weight = +-d
struct Signs {
  static constexpr std::string_view name = "SIGNS";
  static constexpr std::uint32_t gguf_type = 9999;
  static constexpr int weights = 32;
  static constexpr bool has_min = false;
  static constexpr int max_code = 1;
  static constexpr int max_scale = 1;

  struct Block {
    Le16 d;
    std::uint8_t minus[4];
  };

  QN_QUANT_INLINE static void unpack(const Block& block, IntBlock& out) {
    set_single_scale<weights>(out, block.d.f16(), 0, 0);
    for (int i = 0; i < weights; ++i) out.code[i] = block.minus[i / 8] >> i % 8 & 1 ? -1 : 1;
  }

  QN_QUANT_INLINE static void dequantize(const Block& block, float* out) { dequantize_block<Signs>(block, out); }
};

TEST(Describe, a_struct_of_its_own_file_becomes_a_format) {
  constexpr Format format = describe<Signs>();
  EXPECT_EQ(format.name, "SIGNS");
  EXPECT_EQ(format.kind, Kind::quantized);
  EXPECT_EQ(format.row_bytes(64), 12u);
  EXPECT_EQ(format.quantize, nullptr);

  Signs::Block blocks[2] = {};
  blocks[1].d.set(f32_to_f16(1.5F));
  blocks[1].minus[0] = 2;
  float values[64];
  format.dequantize(reinterpret_cast<const std::byte*>(blocks), values, 2);
  EXPECT_EQ(values[32], 1.5F);
  EXPECT_EQ(values[33], -1.5F);
  EXPECT_EQ(values[63], 1.5F);
}

}  // namespace
}  // namespace qn::quant
