// A chat as a prompt, for those who only look at it.
#pragma once

#include <functional>

#include "api/fields.h"
#include "api/model_work.h"
#include "text/chat/chat.h"

namespace qn::api::native {

// Reads a chat as POST /v1/chat/completions does, renders it with the model's template, and calls `answer` on a worker. Errors are
// answered.
using PromptAnswer = std::function<void(Exchange&, const serve::LoadedModel&, const std::string& prompt, const std::vector<Warning>&)>;
void render_chat(Service& service, const std::shared_ptr<Exchange>& exchange, Dialect dialect, PromptAnswer answer);

}  // namespace qn::api::native
