// A reply's parameters as llama-server shows them: "generation_settings", and the defaults in /props and /slots.
#pragma once

#include "base/json.h"
#include "engine/sampling.h"
#include "serve/host.h"
#include "serve/reply_request.h"

namespace qn::api::native {

json::Object settings_json(const engine::SamplingParameters& sampling, const serve::ReplyRequest& request, bool stream);

// Of a request to /completion that says nothing.
json::Object default_settings_json(const serve::LoadedModel& model);

}  // namespace qn::api::native
