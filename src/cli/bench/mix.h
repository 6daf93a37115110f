// Mix: which format each tensor of a model gets under a name such as Q4_K_M.
//   source   llama.cpp's choices, as its quantizer makes them without an importance matrix
#pragma once

#include "cli/bench/shapes.h"

namespace qn::cli {

struct Mix {
  std::string name;
  const quant::Format* base;
  const quant::Format* more;  // of half of attn_v and ffn_down; null: base
};

// A format's name gives that format to every matrix of the layers; Q4_K_M and Q5_K_M are known beside them.
//   errors   not_found: the name
Result<Mix> find_mix(std::string_view name);

const quant::Format& format_of(const Mix& mix, const Shape& shape, const ShapeTensor& tensor);

}  // namespace qn::cli
