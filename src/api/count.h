// Counts the tokens of a prompt as generate() would read it, and generates nothing.
#pragma once

#include <functional>
#include <memory>

#include "api/generate.h"

namespace qn::api {

//   job   one prompt
//   body  the answer, from the number of tokens
void count_tokens(Service& service, const std::shared_ptr<Exchange>& exchange, GenerateJob job,
                  std::function<json::Object(int tokens)> body);

}  // namespace qn::api
