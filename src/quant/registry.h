// The formats we know: the header, then its line here. QN_QUANT_FORMATS(X) expands to X(F) for every struct F of this list.
#pragma once

#include "quant/bf16.h"
#include "quant/f16.h"
#include "quant/f32.h"
#include "quant/iq1_m.h"
#include "quant/iq1_s.h"
#include "quant/iq2_s.h"
#include "quant/iq2_xs.h"
#include "quant/iq2_xxs.h"
#include "quant/iq3_s.h"
#include "quant/iq3_xxs.h"
#include "quant/iq4_nl.h"
#include "quant/iq4_xs.h"
#include "quant/mxfp4.h"
#include "quant/q2_k.h"
#include "quant/q3_k.h"
#include "quant/q4_0.h"
#include "quant/q4_1.h"
#include "quant/q4_k.h"
#include "quant/q5_0.h"
#include "quant/q5_1.h"
#include "quant/q5_k.h"
#include "quant/q6_k.h"
#include "quant/q8_0.h"
#include "quant/tq1_0.h"
#include "quant/tq2_0.h"

#define QN_QUANT_FORMATS(X) \
  X(F32)                    \
  X(F16)                    \
  X(BF16)                   \
  X(Q4_0)                   \
  X(Q4_1)                   \
  X(Q5_0)                   \
  X(Q5_1)                   \
  X(Q8_0)                   \
  X(Q2_K)                   \
  X(Q3_K)                   \
  X(Q4_K)                   \
  X(Q5_K)                   \
  X(Q6_K)                   \
  X(IQ1_S)                  \
  X(IQ1_M)                  \
  X(IQ2_XXS)                \
  X(IQ2_XS)                 \
  X(IQ2_S)                  \
  X(IQ3_XXS)                \
  X(IQ3_S)                  \
  X(IQ4_NL)                 \
  X(IQ4_XS)                 \
  X(TQ1_0)                  \
  X(TQ2_0)                  \
  X(MXFP4)
