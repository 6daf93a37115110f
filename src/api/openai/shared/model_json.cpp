#include "api/openai/shared/model_json.h"

#include "api/generate.h"

namespace qn::api::openai {

json::Object model_json(const Service& service, const serve::ServedModel& model) {
  json::Object out{{"id", model.name},   {"object", "model"}, {"created", unix_time(model.modified)}, {"owned_by", "library"},
                   {"root", model.name}, {"parent", nullptr}, {"permission", json::Array()}};
  for (const serve::LoadedInfo& loaded : service.models->loaded())
    if (loaded.ready && loaded.served->name == model.name) out["max_model_len"] = loaded.context_tokens;
  if (!out.contains("max_model_len"))
    out["max_model_len"] = model.load.context_tokens ? json::Value(*model.load.context_tokens) : json::Value(nullptr);
  out["meta"] = json::Object{{"size", model.size_bytes}};
  return out;
}

}  // namespace qn::api::openai
