// A served model as Anthropic's lists show it.
#pragma once

#include "base/json.h"
#include "serve/model_host.h"

namespace qn::api::anthropic {

json::Object model_json(const serve::ServedModel& model);

}  // namespace qn::api::anthropic
