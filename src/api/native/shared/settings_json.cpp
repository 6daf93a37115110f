#include "api/native/shared/settings_json.h"

#include "api/sampling_fields.h"

namespace qn::api::native {
namespace {

// llama-server's word where it is not the engine's.
std::string_view spelled(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"penalty_last_n", "repeat_last_n"}, {"repetition_penalty", "repeat_penalty"}, {"dry_last_n", "dry_penalty_last_n"}};
  for (const auto& [ours, theirs] : words)
    if (ours == name) return theirs;
  return name;
}

}  // namespace

json::Object settings_json(const engine::SamplingParameters& sampling, const serve::ReplyRequest& request, bool stream) {
  json::Object out;
  const serve::Parameters& said = request.parameters;
  constexpr std::int64_t exact = std::int64_t{1} << 53;  // beyond it, other readers of JSON lose digits
  out["n_predict"] = said.num_predict.value_or(-1);
  out["seed"] = static_cast<std::int64_t>(sampling.seed % static_cast<std::uint64_t>(exact));
  for (const engine::NumberRow<float>& row : engine::float_rows()) out[spelled(row.name)] = static_cast<double>(sampling.*row.value);
  for (const engine::NumberRow<int>& row : engine::int_rows()) out[spelled(row.name)] = sampling.*row.value;
  json::Array samplers;
  for (const engine::Stage stage : sampling.chain)
    for (const engine::StageRow& row : engine::stage_rows)
      if (row.stage == stage) samplers.push_back(json::Value(row.name));
  out["samplers"] = std::move(samplers);
  out["stop"] = json::Array(said.stop.begin(), said.stop.end());
  out["max_tokens"] = said.num_predict.value_or(-1);
  out["ignore_eos"] = request.ignore_end_of_turn;
  out["stream"] = stream;
  out["n_probs"] = request.top_logprobs.value_or(0);
  out["min_tokens"] = request.min_tokens;
  json::Array bias;
  for (const engine::LogitBias& entry : request.logit_bias)
    bias.push_back(json::Object{{"token", entry.token}, {"bias", static_cast<double>(entry.bias)}});
  out["logit_bias"] = std::move(bias);
  out["speculative.n_max"] = request.draft_tokens;
  return out;
}

json::Object default_settings_json(const serve::LoadedModel& model) {
  serve::ReplyRequest request;
  request.parameters = serve::merge(model.recommended, default_parameters(Defaults::native));
  return settings_json(engine::merge(engine::SamplingParameters{}, request.parameters.sampling), request, false);
}

}  // namespace qn::api::native
