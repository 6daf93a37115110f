// A served model as OpenAI's lists show it.
#pragma once

#include "api/service.h"
#include "base/json.h"
#include "serve/model_host.h"

namespace qn::api::openai {

json::Object model_json(const Service& service, const serve::ServedModel& model);

}  // namespace qn::api::openai
