// The access log: one line a request, at info. Never prompts, replies or keys.
#pragma once

#include "api/http/site.h"

namespace qn::api {

void log_request(const AccessRecord& record);

}  // namespace qn::api
