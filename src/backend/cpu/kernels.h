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

// How a key or value lies in a page.
enum class RowType { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl, other };

inline constexpr int chunk_keys = 256;   // as chunk_tokens in backend/ref/attention.h: part of the promise
inline constexpr int decoded_rows = 64;  // at most, that are floats at once

// The keys, or the values, of one chunk for one key/value head.
struct CachedRows {
  RowType type = RowType::other;
  void (*dequantize)(const std::byte* blocks, float* out, std::size_t block_count) = nullptr;  // for RowType::other
  int blocks = 0;                                                                              // in a row
  int bytes = 0;                                                                               // of a row
  // Row j of the chunk. Where some of the rows [16 n, 16 n + 16) are seen, the others are addresses that may be read.
  const std::byte* at[chunk_keys] = {};
  const std::byte* soon[chunk_keys] = {};  // what to fetch from memory when row j is read; any address
};

// Softmax over some keys, before the division, of several queries.
struct Partial {
  float* largest = nullptr;  // [Q] score
  float* weight = nullptr;   // [Q] sum of exp(score - largest)
  float* sum = nullptr;      // [Q, stride] of exp(score - largest) * value
};

// Some queries against one chunk of keys and values.
struct ChunkJob {
  int queries = 0;               // Q
  int head = 0;                  // size of one
  int stride = 0;                // head rounded up to a multiple of 16
  const float* query = nullptr;  // [Q, stride], zero from `head` on
  const int* begin = nullptr;    // [Q] keys seen, in [0, 256); never none
  const int* end = nullptr;      // [Q] neither falls from one query to the next
  const CachedRows* keys = nullptr;
  const CachedRows* values = nullptr;
  float scale = 0;
  float* packed = nullptr;   // [Q, stride] scratch
  float* decoded = nullptr;  // [64, stride] scratch
  float* score = nullptr;    // [Q, 256] scratch
  Partial out;
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
  void (*decode)(RowType type, const std::byte* from, float* to, int count);  // every type but `other`
  void (*attend_chunk)(const ChunkJob& job);
  void (*attend_merge)(const Partial& into, const Partial& part, int queries, int stride);
  void (*attend_finish)(const float* sum, float weight, int head, float* out);
  void (*exponential)(const float* x, float* y, int count);  // for the tests
};

const KernelTable& kernels_scalar();
const KernelTable& kernels_avx2();
const KernelTable& kernels_avxvnni();
const KernelTable& kernels_avx512();
const KernelTable& kernels_amx();
const KernelTable& kernels_amx_imitated();  // for tests: runs wherever avx512 does

}  // namespace qn::cpu
