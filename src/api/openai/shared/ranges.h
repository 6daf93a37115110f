// The ranges that OpenAI's and vLLM's documentation gives, where they are narrower than what the sampler can do.
#pragma once

#include "api/fields.h"

namespace qn::api::openai {

// After read_sampling(): refuses what lies outside.
void check_ranges(Fields& fields);

}  // namespace qn::api::openai
