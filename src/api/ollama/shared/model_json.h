// Models as Ollama's lists show them.
#pragma once

#include "api/service.h"
#include "base/json.h"
#include "serve/model_facts.h"
#include "serve/model_host.h"

namespace qn::api::ollama {

// {"parent_model", "format", "family", "families", "parameter_size", "quantization_level", …}; facts may be null.
json::Object details_json(const serve::ModelFacts* facts);

// completion, tools, thinking, insert, embedding
json::Array capabilities_json(const serve::ModelFacts* facts);

// 64 hexadecimal digits: the file's digest, or where that is not known one of name, size and date.
std::string digest_of(const serve::ServedModel& model);

}  // namespace qn::api::ollama
