#include "api/embed.h"

#include <bit>
#include <charconv>
#include <limits>
#include <utility>

#include "engine/engine.h"

namespace qn::api {
namespace {

constexpr std::size_t most_inputs = 2048;  // OpenAI's limit

Result<std::vector<serve::BatchPrompt>> prompts_of(const EmbedJob& job, const serve::LoadedModel& model, int& cut_tokens) {
  QN_TRY(const engine::Pooling pooling, serve::pooling_of(model));
  const int width = model.model->sizes().width;
  if (job.dimensions && *job.dimensions > width)
    return fail(Code::bad_input, "dimensions: {} asked for, the model's vectors have {}; ask for fewer", *job.dimensions, width);
  int most = job.cuts ? model.engine->longest() - 1 : std::numeric_limits<int>::max();
  if (job.most_tokens) most = std::min(most, *job.most_tokens < 0 ? model.engine->longest() - 1 : *job.most_tokens);
  std::vector<serve::BatchPrompt> prompts;
  for (const EmbedInput& input : job.inputs) {
    const auto* ids = std::get_if<std::vector<TokenId>>(&input);
    std::vector<TokenId> tokens = ids != nullptr ? *ids : serve::embedding_tokens(model, std::get<std::string>(input));
    if (tokens.empty()) return fail(Code::bad_input, "input: an entry holds no token; write something");
    const auto before = static_cast<int>(tokens.size());
    serve::cut_to(tokens, static_cast<std::size_t>(most), model);
    cut_tokens += before - static_cast<int>(tokens.size());
    prompts.push_back({.tokens = std::move(tokens), .pooling = pooling});
  }
  return prompts;
}

}  // namespace

void embed(Service& service, const std::shared_ptr<Exchange>& exchange, EmbedJob job,
           std::function<void(Exchange&, const Embedded&)> answer) {
  struct State {
    EmbedJob job;
    int cut_tokens = 0;
  };
  const auto state = std::make_shared<State>(State{std::move(job)});  // by the two steps
  BatchJob batch;
  batch.wish = state->job.wish;
  batch.prompts = [state](serve::LoadedModel& model) { return prompts_of(state->job, model, state->cut_tokens); };
  batch.answer = [state, answer = std::move(answer)](Exchange& asked, BatchRun& run) {
    Embedded out{.model = run.model(),
                 .prompt_tokens = run.prompt_tokens,
                 .cached_tokens = run.cached_tokens,
                 .cut_tokens = state->cut_tokens,
                 .load_time = run.load_time,
                 .total = run.total,
                 .warnings = std::move(state->job.warnings)};
    for (serve::BatchResult& result : run.results) {
      if (state->job.dimensions) result.values.resize(static_cast<std::size_t>(*state->job.dimensions));
      serve::normalize(result.values, state->job.norm);
      out.vectors.push_back(std::move(result.values));
    }
    answer(asked, out);
  };
  run_batch(service, exchange, std::move(batch));
}

json::Array to_json(const std::vector<float>& vector) {
  json::Array out;
  out.reserve(vector.size());
  for (const float x : vector) {
    char digits[32];
    const char* end = std::to_chars(digits, digits + sizeof digits, x).ptr;
    double number = 0;
    std::from_chars(digits, end, number);
    out.push_back(json::Value(number));
  }
  return out;
}

std::string to_base64(const std::vector<float>& vector) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((vector.size() * 4 + 2) / 3 * 4);
  std::uint32_t bits = 0;
  int held = 0;  // bytes of `bits`, at most 2 between turns
  const auto push = [&](std::uint32_t byte) {
    bits = bits << 8 | byte;
    if (++held < 3) return;
    for (int shift = 18; shift >= 0; shift -= 6) out += letters[bits >> shift & 63];
    bits = 0, held = 0;
  };
  for (const float x : vector) {
    const auto pattern = std::bit_cast<std::uint32_t>(x);
    for (int shift = 0; shift < 32; shift += 8) push(pattern >> shift & 255);
  }
  if (held > 0) {
    const int letters_left = held + 1;
    bits <<= 8 * (3 - held);
    for (int i = 0; i < letters_left; ++i) out += letters[bits >> (18 - 6 * i) & 63];
    out.append(static_cast<std::size_t>(4 - letters_left), '=');
  }
  return out;
}

std::vector<EmbedInput> read_inputs(Fields& fields, std::string_view name) {
  std::vector<EmbedInput> out;
  Reading& reading = fields.reading();
  const json::Value* value = fields.any(name);
  if (value == nullptr) return out;
  const auto wrong = [&] {
    reading.refuse(fields.path_of(name), Code::bad_input,
                   fmt::format("{}: give a string, a list of token ids, or a list of either, none of them empty", fields.path_of(name)));
    return std::vector<EmbedInput>();
  };
  const auto read_ids = [](const json::Array& list) {
    std::vector<TokenId> ids;
    for (const json::Value& id : list) {
      if (!id.is_int64() || id.get_int64() < 0 || id.get_int64() > std::numeric_limits<TokenId>::max()) return std::vector<TokenId>();
      ids.push_back(static_cast<TokenId>(id.get_int64()));
    }
    return ids;
  };
  if (value->is_string()) {
    if (value->get_string().empty()) return wrong();
    out.emplace_back(std::string(value->get_string()));
    return out;
  }
  if (!value->is_array() || value->get_array().empty()) return wrong();
  const json::Array& list = value->get_array();
  if (!list[0].is_string() && !list[0].is_array()) {
    std::vector<TokenId> ids = read_ids(list);
    if (ids.empty()) return wrong();
    out.emplace_back(std::move(ids));
    return out;
  }
  if (list.size() > most_inputs) {
    reading.refuse(fields.path_of(name), Code::too_large,
                   fmt::format("{}: {} inputs, at most {}; send fewer", fields.path_of(name), list.size(), most_inputs));
    return out;
  }
  for (const json::Value& entry : list) {
    if (entry.is_string() && !entry.get_string().empty()) {
      out.emplace_back(std::string(entry.get_string()));
    } else if (entry.is_array()) {
      std::vector<TokenId> ids = read_ids(entry.get_array());
      if (ids.empty()) return wrong();
      out.emplace_back(std::move(ids));
    } else {
      return wrong();
    }
  }
  return out;
}

}  // namespace qn::api
