// What an instruction set provides: one table of plain functions, filled by kernels_<isa>.cpp from the same sources (kernels_*.h).
// All of them give the bits of backend/ref. Nothing here may have an inline body: per-ISA objects lend no code to others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "backend/cpu/span.h"
#include "base/cpu_features.h"

namespace qn::cpu {

// What a format is to these kernels.
enum class Layout {
  blocks,  // quantized: blocks of 32 or 256
  f32,     // plain rows
  f16,
  bf16,
};

// Activations of some tokens, quantized (backend/ref/activation.h) for blocks of one size.
struct QuantizedRows {
  const std::int8_t* code = nullptr;     // [T, M]
  const float* scale = nullptr;          // [T, M / block]
  const std::int16_t* sum_16 = nullptr;  // [T, M / 16] sums of 16 codes
  const std::int16_t* sum_32 = nullptr;  // [T, M / 32] sums of 32 codes
  const std::int32_t* start = nullptr;   // [T, M / group] -bias * sum of the group's codes, for one SpanShape; all 0 where the bias is
  int columns = 0;                       // M
  int block_weights = 0;
};

// Where one token's outputs of one panel go: y = product (+ bias) (+ residual).
struct Outputs {
  float* y = nullptr;               // of the first token, at the panel's first row
  const float* bias = nullptr;      // at the panel's first row, or null
  const float* residual = nullptr;  // as y, or null
  std::size_t stride = 0;           // floats from one token to the next, of y and of residual
  std::size_t residual_stride = 0;
  int rows = panel_rows;  // that exist; the last panel may have fewer
};

// Some tokens against one panel, straight from the file's bytes.
struct DirectJob {
  Rows rows;                        // of all columns
  const std::byte* next = nullptr;  // the rows that come after these, at the same stride: fetched meanwhile; or null
  QuantizedRows x;
  int first_token = 0, tokens = 0;
  Outputs out;
};

// Some tokens against some spans of one or two panels.
struct SpansJob {
  const Span* panel[2] = {};  // [spans] each; the second may be null
  int spans = 0;
  int blocks = 0;        // in all of them
  int first_column = 0;  // of x
  QuantizedRows x;
  int first_token = 0, tokens = 0;
  float* sums = nullptr;  // [tokens][2][16], kept from the first spans to the last
  bool first = false;     // nothing in sums yet
  Rows ahead;             // fetched meanwhile: `ahead_rows` rows of `ahead_bytes`; or null
  int ahead_rows = 0;
  std::size_t ahead_bytes = 0;
};

struct PlainJob {
  const std::byte* rows = nullptr;  // the panel's first row, as in the file
  std::size_t row_bytes = 0;
  const float* x = nullptr;  // [T, M]
  int columns = 0;
  int first_token = 0, tokens = 0;
  Outputs out;
};

// One query head against one chunk of decoded keys and values; updates the running softmax.
struct ChunkJob {
  const float* query = nullptr;   // [stride], zero from `head` on
  const float* keys = nullptr;    // [64, stride], zero from `head` on
  const float* values = nullptr;  // [64, stride]
  int head = 0;
  int stride = 0;          // head rounded up to a multiple of 16
  int begin = 0, end = 0;  // keys seen, in [0, 64)
  float scale = 0;
  bool first = false;        // nothing to merge with yet
  float* largest = nullptr;  // running maximum of the scores
  float* weight = nullptr;   // running sum of exp(score - largest)
  float* sum = nullptr;      // [stride], running sum of exp(score - largest) * value
  float* scratch = nullptr;  // [stride]
};

// One format's way from the file's bytes to spans.
struct Reader {
  std::uint32_t gguf_type;
  SpanShape shape;
  void (*direct)(const DirectJob& job);
  void (*unpack)(Rows rows, int blocks, Span* to);  // `blocks` blocks of 16 rows, to as many spans as they fill
};

struct KernelTable {
  Isa isa;
  std::span<const Reader> readers;  // formats without one are unpacked by quant::Format::unpack
  int signed_bias;                  // what is added to codes of eight bits
  int direct_tokens;                // up to this many tokens, direct() is faster than unpack() and spans()

  void (*quantize)(const float* x, int columns, int block_weights, std::int8_t* code, float* scale, std::int16_t* sum_16,
                   std::int16_t* sum_32);
  void (*spans)(const SpanShape& shape, const SpansJob& job);
  void (*write)(const float* sums, const Outputs& out, int token);  // sums [16] of one token and panel
  void (*plain)(Layout layout, const PlainJob& job);                // f32, f16, bf16
  void (*normalize)(const float* x, const float* weight, float eps, int count, float* y);
  void (*swiglu)(const float* gate, const float* up, float* y, int count);
  void (*rotate)(float* x, int pairs, int first_step, int second_offset, const float* cos_sin);
  void (*decode)(Layout layout, const std::byte* from, float* to, int count);  // f32, f16, bf16
  void (*attend_chunk)(const ChunkJob& job);
  void (*attend_finish)(const float* sum, float weight, int head, float* out);
  void (*exponential)(const float* x, float* y, int count);  // for the tests
};

const KernelTable& kernels_scalar();
const KernelTable& kernels_avx2();
const KernelTable& kernels_avx512();

}  // namespace qn::cpu
