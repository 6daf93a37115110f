// The 16 uneven steps of IQ4_NL and IQ4_XS: dense near zero, where most weights lie.
//   source   llama.cpp, ggml-common.h
#pragma once

#include "quant/block.h"

namespace qn::quant {

inline constexpr std::int8_t iq4_step[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

}  // namespace qn::quant
