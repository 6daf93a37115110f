// Mix: a recipe by which a model is quantized, as people name it: "Q4_K_M". It has a base format, and rules that give some tensors another.
//   source   llama.cpp's quantization mixes; tests/unit/file/data/mixes.txt holds its choice for every mix and many shapes
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "quant/format.h"

namespace qn::file {

struct Mix {
  std::string_view name;
  int file_type;          // general.file_type
  std::string_view base;  // the format of every tensor that no rule names; empty: each keeps its own
  std::string_view about;
  std::string_view alias = {};  // another name
};

std::span<const Mix> mixes();

// By name in any case, alias or number.
//   errors   bad_input: the nearest names
Result<const Mix*> find_mix(std::string_view name);

// What a tensor does in a layer, as far as the rules tell tensors apart.
enum class Role { token_embedding, output, attn_q, attn_k, attn_v, attn_output, ffn_up, ffn_gate, ffn_down, other };
Role role_of(std::string_view tensor_name);

// When a rule applies. `i` of `n`: which of the tensors of this role it is.
enum class When {
  always,
  first_eighth,             // i < n / 8
  first_eighth_weighted,    // the same, with an importance matrix
  first_eighth_unweighted,  // the same, without
  first_sixteenth,
  middle,     // neither in the first nor in the last eighth
  more_bits,  // the first and last eighth, and every third between
  more_bits_of_eight_experts,
  first_two,
  first_four,
  shared_heads,             // four or more query heads read one key/value head
  shared_heads_or_experts,  // or four or more experts
  eight_experts,
  unweighted,  // without an importance matrix
};

struct Rule {
  std::string_view mixes;  // names, separated by blanks
  Role role;
  When when;
  std::string_view format;
};

// The first that applies counts; where none does, the base.
std::span<const Rule> rules();

}  // namespace qn::file
