#include "api/ollama/shared/model_json.h"

namespace qn::api::ollama {

json::Object details_json(const serve::ModelFacts* facts) {
  const std::string family = facts != nullptr ? facts->architecture : "";
  json::Object out{{"parent_model", ""}, {"format", "gguf"}, {"family", family}, {"families", json::Array{family}}};
  out["parameter_size"] = facts != nullptr ? serve::short_count(facts->parameters) : "";
  out["quantization_level"] = facts != nullptr ? facts->quantization : "";
  if (facts != nullptr && facts->context_tokens > 0) out["context_length"] = facts->context_tokens;
  if (facts != nullptr && facts->width > 0) out["embedding_length"] = facts->width;
  return out;
}

json::Array capabilities_json(const serve::ModelFacts* facts) {
  json::Array out;
  if (facts == nullptr) return out;
  out.push_back(facts->embeds ? "embedding" : "completion");
  if (facts->embeds) return out;
  if (facts->can.tools) out.push_back("tools");
  if (facts->fills_in()) out.push_back("insert");
  if (facts->can.thinking) out.push_back("thinking");
  return out;
}

std::string digest_of(const serve::ServedModel& model) {
  if (!model.digest.empty()) return model.digest;
  const std::string text = fmt::format("{}\n{}\n{}", model.name, model.size_bytes, model.modified.time_since_epoch().count());
  std::string out;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::uint64_t hash = 0xcbf29ce484222325 ^ seed * 0x9e3779b97f4a7c15;  // FNV-1a, four times
    for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    out += fmt::format("{:016x}", hash);
  }
  return out;
}

}  // namespace qn::api::ollama
