// The formats we know: the header, then its line here. QN_QUANT_FORMATS(X) expands to X(F) for every struct F of this list.
#pragma once

#include "quant/bf16.h"
#include "quant/f16.h"
#include "quant/f32.h"
#include "quant/q4_0.h"
#include "quant/q4_k.h"
#include "quant/q6_k.h"
#include "quant/q8_0.h"

#define QN_QUANT_FORMATS(X) \
  X(F32)                    \
  X(F16)                    \
  X(BF16)                   \
  X(Q4_0)                   \
  X(Q8_0)                   \
  X(Q4_K)                   \
  X(Q6_K)
