#include "api/sampling_fields.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace qn::api {
namespace {

using O = engine::SamplingOverrides;

template <class Field>
struct Spelled {
  std::string_view name;
  std::optional<Field> O::*field;
};

constexpr Spelled<float> floats[] = {
    {"temperature", &O::temperature},
    {"top_p", &O::top_p},
    {"min_p", &O::min_p},
    {"typical_p", &O::typical_p},
    {"top_n_sigma", &O::top_n_sigma},
    {"repetition_penalty", &O::repetition_penalty},
    {"repeat_penalty", &O::repetition_penalty},
    {"presence_penalty", &O::presence_penalty},
    {"frequency_penalty", &O::frequency_penalty},
    {"dry_multiplier", &O::dry_multiplier},
    {"dry_base", &O::dry_base},
    {"xtc_probability", &O::xtc_probability},
    {"xtc_threshold", &O::xtc_threshold},
};
constexpr Spelled<int> ints[] = {
    {"top_k", &O::top_k},
    {"repeat_last_n", &O::penalty_last_n},
    {"dry_allowed_length", &O::dry_allowed_length},
    {"dry_penalty_last_n", &O::dry_last_n},
};

// Known to other servers, without effect on a reply of this one.
struct Known {
  std::string_view name, why;
};
constexpr Known without_effect[] = {
    {"user", "a label only"},
    {"metadata", "not stored"},
    {"store", "replies are not stored"},
    {"service_tier", "there is one tier"},
    {"verbosity", "the model decides"},
    {"modalities", "text only"},
    {"prediction", "drafts come from the text itself"},
    {"web_search_options", "there is no web search"},
    {"safety_identifier", "a label only"},
    {"prompt_cache_key", "prefixes are found by their content"},
    {"prompt_cache_retention", "prefixes are kept while there is room"},
    {"length_penalty", "there is no beam search"},
    {"spaces_between_special_tokens", "special tokens are hidden"},
    {"kv_transfer_params", "one machine"},
    {"vllm_xargs", "no extensions"},
    {"media_io_kwargs", "text only"},
    {"tfs_z", "no such sampler"},
    {"mirostat", "no such sampler"},
    {"mirostat_tau", "no such sampler"},
    {"mirostat_eta", "no such sampler"},
    {"dynatemp_range", "no such sampler"},
    {"dynatemp_exponent", "no such sampler"},
    {"adaptive_target", "no such sampler"},
    {"adaptive_decay", "no such sampler"},
    {"penalize_newline", "no such option"},
    {"low_vram", "no GPU is used"},
    {"f16_kv", "the cache's type is set when the server starts"},
    {"logits_all", "ask for prompt_logprobs"},
    {"vocab_only", "no such option"},
    {"use_mlock", "set when the server starts"},
    {"use_mmap", "set when the server starts"},
    {"numa", "set when the server starts"},
    {"embedding_only", "every model embeds"},
    {"num_batch", "set when the server starts"},
    {"num_gpu", "set when the server starts"},
    {"main_gpu", "set when the server starts"},
    {"num_thread", "set when the server starts"},
    {"num_keep", "the window is not shifted"},
    {"n_keep", "the window is not shifted"},
    {"n_discard", "the window is not shifted"},
    {"n_cache_reuse", "prefixes are found by their content"},
    {"n_indent", "no such option"},
    {"min_keep", "one candidate is always kept"},
    {"id_slot", "slots are a view"},
    {"lora", "no adapters are loaded"},
    {"stream_interval", "every token is sent"},
    {"repetition_detection", "no such option"},
};

// Most tokens of a reply: every dialect's name for it. -1 and -2: as many as the window takes.
constexpr std::string_view limit_names[] = {"max_completion_tokens", "max_tokens", "max_output_tokens", "num_predict", "n_predict"};

void read_logit_bias(Fields& fields, serve::ReplyRequest& request) {
  const json::Value* value = fields.any("logit_bias");
  if (value == nullptr) return;
  const auto wrong = [&](std::string_view finding) {
    fields.reading().refuse("logit_bias", Code::bad_input, fmt::format("logit_bias: {}; give {{\"token id\": bias}}", finding));
  };
  const auto add = [&](std::string_view key, bool is_id, const json::Value& bias) {
    float amount = 0;
    if (bias.is_bool() && !bias.get_bool()) {
      amount = -std::numeric_limits<float>::infinity();
    } else if (bias.is_int64()) {
      amount = static_cast<float>(bias.get_int64());
    } else if (bias.is_double()) {
      amount = static_cast<float>(bias.get_double());
    } else {
      return wrong("a bias is no number");
    }
    if (!(amount <= 1e6f)) return wrong("a bias is out of range");
    if (!is_id) {
      request.text_bias.push_back({std::string(key), amount});
      return;
    }
    TokenId id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0) return wrong("a token id is no number");
    request.logit_bias.push_back({id, amount});
  };
  constexpr std::size_t most = 1024;
  if (value->is_object()) {
    if (value->get_object().size() > most) return wrong("more than 1024 entries");
    for (const auto& entry : value->get_object()) add(entry.key(), true, entry.value());
  } else if (value->is_array()) {
    if (value->get_array().size() > most) return wrong("more than 1024 entries");
    for (const json::Value& entry : value->get_array()) {
      if (!entry.is_array() || entry.get_array().size() != 2) return wrong("an entry is no pair");
      const json::Value& key = entry.get_array()[0];
      if (key.is_string()) {
        add(key.get_string(), false, entry.get_array()[1]);
      } else if (key.is_int64()) {
        add(std::to_string(key.get_int64()), true, entry.get_array()[1]);
      } else {
        return wrong("an entry names no token");
      }
    }
  } else {
    wrong("it is no object");
  }
}

void read_limit(Fields& fields, serve::ReplyRequest& request) {
  for (const std::string_view name : limit_names) {
    const std::optional<std::int64_t> limit = fields.integer(name, -2, std::numeric_limits<int>::max());
    if (limit && !request.parameters.num_predict) request.parameters.num_predict = static_cast<int>(*limit);
  }
  if (const auto least = fields.integer("min_tokens", 0, std::numeric_limits<int>::max())) {
    request.min_tokens = static_cast<int>(*least);
    if (request.parameters.num_predict && *request.parameters.num_predict > 0 && *least > *request.parameters.num_predict)
      fields.reading().refuse(
          "min_tokens", Code::bad_input,
          fmt::format("min_tokens: {} is more than max_tokens {}; give at most that", *least, *request.parameters.num_predict));
  }
}

void read_chain(Fields& fields, serve::ReplyRequest& request) {
  const json::Value* value = fields.any("samplers");
  if (value == nullptr) return;
  std::vector<engine::Stage> chain;
  const auto add = [&](auto matches, std::string_view said) {
    for (const engine::StageRow& row : engine::stage_rows)
      if (matches(row)) return chain.push_back(row.stage);
    fields.reading().warn("samplers", "ignored", fmt::format("no sampler '{}'", quoted(said)));
  };
  if (value->is_string()) {
    for (const char letter : std::string_view(value->get_string()))
      add([&](const engine::StageRow& row) { return row.letter == letter; }, std::string_view(&letter, 1));
  } else if (value->is_array() && value->get_array().size() <= 64) {
    for (const json::Value& entry : value->get_array()) {
      if (!entry.is_string()) return fields.reading().refuse("samplers", Code::bad_input, "samplers: must be a list of names");
      add([&](const engine::StageRow& row) { return row.name == std::string_view(entry.get_string()); }, entry.get_string());
    }
  } else {
    return fields.reading().refuse("samplers", Code::bad_input, "samplers: must be a list of names, or letters");
  }
  request.parameters.sampling.chain = std::move(chain);
}

}  // namespace

serve::Parameters default_parameters(Defaults which) {
  serve::Parameters parameters;
  O& sampling = parameters.sampling;
  switch (which) {
    case Defaults::openai:
      sampling.temperature = 1.0f;
      sampling.top_p = 1.0f;
      sampling.top_k = 0;
      sampling.min_p = 0.0f;
      sampling.penalize_prompt = false;
      break;
    case Defaults::ollama:
      sampling.temperature = 0.8f;
      sampling.top_p = 0.9f;
      sampling.top_k = 40;
      sampling.min_p = 0.0f;
      break;
    case Defaults::native: break;  // the engine's own are llama.cpp's
  }
  return parameters;
}

void read_sampling(Fields& fields, serve::ReplyRequest& request) {
  O& sampling = request.parameters.sampling;
  for (const Spelled<float>& row : floats) {
    for (const engine::NumberRow<float>& range : engine::float_rows()) {
      if (range.said != row.field) continue;
      if (const auto value = fields.number(row.name, range.low, range.high)) sampling.*row.field = static_cast<float>(*value);
    }
  }
  for (const Spelled<int>& row : ints) {
    for (const engine::NumberRow<int>& range : engine::int_rows()) {
      if (range.said != row.field) continue;
      if (const auto value = fields.integer(row.name, range.low, range.high)) sampling.*row.field = static_cast<int>(*value);
    }
  }
  constexpr std::int64_t exact = std::int64_t{1} << 53;  // beyond it a JSON number need not be the one that was meant
  if (const auto seed = fields.integer("seed", -exact, exact); seed && *seed != -1) sampling.seed = static_cast<std::uint64_t>(*seed);
  read_limit(fields, request);
  read_logit_bias(fields, request);
  read_chain(fields, request);
  if (auto stops = fields.texts("stop", 16, 256)) request.parameters.stop = std::move(*stops);
  if (auto stops = fields.texts("stop_sequences", 16, 256); stops && request.parameters.stop.empty())
    request.parameters.stop = std::move(*stops);
  constexpr int most_ids = std::numeric_limits<TokenId>::max();
  if (const auto ids = fields.integers("stop_token_ids", 1024, 0, most_ids)) request.stop_tokens.assign(ids->begin(), ids->end());
  if (const auto ids = fields.integers("allowed_token_ids", 1 << 20, 0, most_ids)) request.allowed_tokens.assign(ids->begin(), ids->end());
  if (auto words = fields.texts("bad_words", 1024, 256)) request.banned_words = std::move(*words);
  request.ignore_end_of_turn = fields.boolean("ignore_eos").value_or(false);
  request.show_stop = fields.boolean("include_stop_str_in_output").value_or(false);
  request.show_special_tokens = !fields.boolean("skip_special_tokens").value_or(true);
  if (const auto breakers = fields.texts("dry_sequence_breakers", 64, 64)) request.dry_breakers = *breakers;
  if (const auto priority = fields.integer("priority", -1'000'000, 1'000'000)) request.priority = static_cast<int>(*priority);
  if (const auto policy = fields.text("context_policy")) {
    if (*policy == "truncate_oldest") {
      request.overflow = serve::Overflow::drop_oldest;
    } else if (*policy == "error") {
      request.overflow = serve::Overflow::refuse;
    } else {
      fields.reading().refuse("context_policy", Code::bad_input, "context_policy: give error or truncate_oldest");
    }
  }
  if (fields.boolean("use_beam_search").value_or(false))
    fields.reading().refuse("use_beam_search", Code::bad_input, "use_beam_search: beam search is not offered; leave it out");
  for (const Known& known : without_effect) fields.ignore(known.name, known.why);
}

namespace {

void set_form(serve::ReplyRequest& request, serve::Form form, std::string field) {
  request.form = std::move(form);
  request.form_field = std::move(field);
}

void read_response_format(Fields& fields, serve::ReplyRequest& request) {
  const json::Object* format = fields.object("response_format");
  if (format == nullptr) return;
  Fields inside(format, fields.path_of("response_format"), fields.reading());
  inside.require("type");
  const std::string type = inside.text("type").value_or("text");
  if (type == "json_object") {
    if (const json::Object* schema = inside.object("schema")) {
      set_form(request, serve::JsonSchema{*schema}, fields.path_of("response_format"));
    } else {
      set_form(request, serve::AnyJsonObject{}, fields.path_of("response_format"));
    }
  } else if (type == "json_schema") {
    const json::Object* named = inside.object("json_schema");
    const json::Value* schema = named != nullptr ? named->if_contains("schema") : inside.any("schema");
    if (schema == nullptr || !(schema->is_object() || schema->is_bool()))
      return fields.reading().refuse("response_format.json_schema.schema", Code::bad_input,
                                     "response_format.json_schema.schema: missing; give the schema");
    set_form(request, serve::JsonSchema{*schema}, fields.path_of("response_format"));
  } else if (type == "regex" || type == "grammar") {
    const auto text = inside.text(type == "regex" ? "pattern" : "grammar");
    if (!text) return;
    if (type == "regex") {
      set_form(request, serve::Regex{*text}, fields.path_of("response_format"));
    } else {
      set_form(request, serve::Gbnf{*text}, fields.path_of("response_format"));
    }
  } else if (type != "text") {
    fields.reading().refuse("response_format.type", Code::bad_input, "response_format.type: give text, json_object or json_schema");
  }
}

// vLLM's structured_outputs, and its older guided_* fields, by the same names without the prefix.
void read_structured(Fields& fields, const std::string& prefix, serve::ReplyRequest& request) {
  if (const json::Value* schema = fields.any(prefix + "json")) {
    if (schema->is_string()) {
      const Result<json::Value> parsed = json::parse(schema->get_string());
      if (!parsed)
        return fields.reading().refuse(prefix + "json", Code::bad_input, fmt::format("{}json: {}", prefix, parsed.error().message));
      set_form(request, serve::JsonSchema{*parsed}, fields.path_of(prefix + "json"));
    } else {
      set_form(request, serve::JsonSchema{*schema}, fields.path_of(prefix + "json"));
    }
  }
  if (auto pattern = fields.text(prefix + "regex")) set_form(request, serve::Regex{*pattern}, fields.path_of(prefix + "regex"));
  if (auto choices = fields.texts(prefix + "choice", 10'000, 4096)) request.form = serve::OneOf{std::move(*choices)};
  if (auto grammar = fields.text(prefix + "grammar"))
    set_form(request, serve::Gbnf{std::move(*grammar)}, fields.path_of(prefix + "grammar"));
  if (fields.boolean(prefix + "json_object").value_or(false)) request.form = serve::AnyJsonObject{};
}

}  // namespace

void read_form(Fields& fields, serve::ReplyRequest& request) {
  read_response_format(fields, request);
  if (const json::Object* structured = fields.object("structured_outputs")) {
    Fields inside(structured, fields.path_of("structured_outputs"), fields.reading());
    read_structured(inside, "", request);
    inside.warn_of_the_rest();
  }
  read_structured(fields, "guided_", request);
  fields.ignore("guided_decoding_backend", "there is one");
  fields.ignore("guided_whitespace_pattern", "white space is fixed");
  const json::Value* schema = fields.any("json_schema");
  const auto grammar = fields.text("grammar");
  if (schema != nullptr && grammar && !grammar->empty())
    return fields.reading().refuse("grammar", Code::bad_input, "grammar: json_schema is given too; give one of them");
  if (schema != nullptr) set_form(request, serve::JsonSchema{*schema}, fields.path_of("json_schema"));
  if (grammar && !grammar->empty()) set_form(request, serve::Gbnf{*grammar}, fields.path_of("grammar"));
  if (const json::Value* format = fields.any("format")) {
    if (format->is_object()) {
      set_form(request, serve::JsonSchema{*format}, fields.path_of("format"));
    } else if (format->is_string() && format->get_string() == "json") {
      request.form = serve::AnyJsonObject{};
    } else if (!format->is_string() || !format->get_string().empty()) {
      fields.reading().refuse("format", Code::bad_input, "format: give \"json\" or a JSON schema");
    }
  }
}

void read_thinking(Fields& fields, serve::ReplyRequest& request) {
  text::Chat& chat = request.chat;
  std::optional<bool> think;
  const auto note = [&](std::string_view name, bool on) {
    if (think && *think != on) fields.reading().warn(name, "ignored", "another field says otherwise");
    if (!think) think = on;
  };
  // The template's own argument wins, then the dialect's field, then what Qwen's clients send.
  if (const json::Object* arguments = fields.object("chat_template_kwargs")) {
    for (const auto& entry : *arguments) {
      if (entry.key() == "enable_thinking" || entry.key() == "thinking") {
        if (entry.value().is_bool()) note("chat_template_kwargs.enable_thinking", entry.value().get_bool());
      } else {
        chat.template_arguments[entry.key()] = entry.value();
      }
    }
  }
  std::optional<std::string> effort = fields.text("reasoning_effort");
  if (const json::Object* reasoning = fields.object("reasoning")) {
    Fields inside(reasoning, fields.path_of("reasoning"), fields.reading());
    if (const auto inner = inside.text("effort")) effort = inner;
    if (const auto most = inside.integer("max_tokens", 0, 1 << 30)) request.thinking_budget = static_cast<int>(*most);
    if (const auto on = inside.boolean("enabled")) note("reasoning.enabled", *on);
    inside.ignore("summary", "thinking is shown as it is");
    inside.skip("generate_summary");
    inside.warn_of_the_rest();
  }
  if (effort && !effort->empty()) {
    note("reasoning_effort", *effort != "none");
    if (*effort != "none" && !chat.template_arguments.contains("reasoning_effort")) chat.template_arguments["reasoning_effort"] = *effort;
  }
  if (const json::Value* thinking = fields.any("thinking")) {
    const json::Object* object = thinking->if_object();
    const json::Value* type = object != nullptr ? object->if_contains("type") : nullptr;
    if (type == nullptr || !type->is_string()) {
      fields.reading().refuse("thinking", Code::bad_input, "thinking: give {\"type\": \"enabled\"} or {\"type\": \"disabled\"}");
    } else {
      Fields inside(object, fields.path_of("thinking"), fields.reading());
      inside.skip("type");
      note("thinking", type->get_string() != "disabled");
      if (const auto most = inside.integer("budget_tokens", 1, 1 << 30)) request.thinking_budget = static_cast<int>(*most);
      inside.skip("display");
      inside.warn_of_the_rest();
    }
  }
  if (const auto on = fields.boolean("enable_thinking")) note("enable_thinking", *on);
  for (const std::string_view name : {"thinking_budget", "thinking_token_budget", "reasoning_budget_tokens"}) {
    const auto most = fields.integer(name, -1, 1 << 30);
    if (most && *most >= 0 && !request.thinking_budget) request.thinking_budget = static_cast<int>(*most);
  }
  if (request.thinking_budget == 0) {
    note("thinking_budget", false);
    request.thinking_budget.reset();
  }
  if (think) chat.think = think;
}

void read_generation_prompt(Fields& fields, serve::ReplyRequest& request) {
  request.chat.continue_final_message = fields.boolean("continue_final_message").value_or(false);
  const std::optional<bool> opens = fields.boolean("add_generation_prompt");
  if (request.chat.continue_final_message && opens.value_or(false))
    fields.reading().refuse("continue_final_message", Code::bad_input,
                            "continue_final_message: add_generation_prompt is set too; set one of them");
  request.chat.add_generation_prompt = opens.value_or(!request.chat.continue_final_message);
  if (const json::Array* documents = fields.array("documents", 4096)) request.chat.template_arguments["documents"] = *documents;
  if (fields.has("chat_template"))
    fields.reading().refuse("chat_template", Code::unsupported,
                            "chat_template: this server takes no templates from requests; leave it out");
  fields.skip("chat_template");
  fields.ignore("add_special_tokens", "a template writes its own");
}

void read_wish(Fields& fields, ModelWish& wish) {
  wish.model = fields.text("model").value_or("");
  if (const json::Value* keep = fields.any("keep_alive")) {
    const Result<double> seconds = read_keep_alive(*keep);
    if (!seconds) return fields.reading().refuse("keep_alive", Code::bad_input, seconds.error().message);
    constexpr double longest = 3600.0 * 24 * 365 * 100;
    wish.keep_alive = *seconds < 0
                          ? serve::KeepAlive(-1)
                          : std::chrono::duration_cast<serve::KeepAlive>(std::chrono::duration<double>(std::min(*seconds, longest)));
  }
}

void read_common(const Service& service, Fields& fields, GenerateJob& job, serve::ReplyRequest& request) {
  ModelWish wish;
  read_wish(fields, wish);
  job.model = std::move(wish.model);
  job.keep_alive = wish.keep_alive;
  if (const auto window = fields.integer("num_ctx", 0, 1 << 30); window && *window > 0)
    request.parameters.num_ctx = static_cast<int>(*window);
  if (const auto salt = fields.text("cache_salt")) {
    if (salt->empty() || salt->size() > 1024)
      return fields.reading().refuse("cache_salt", Code::bad_input, "cache_salt: give 1 to 1024 characters");
    request.cache_salt = *salt;
  }
  if (const auto cached = fields.boolean("cache_prompt"); cached && !*cached) request.cache_salt = random_label();
  request.draft_tokens = service.draft_tokens;
  fields.skip("request_id");
}

Result<double> read_keep_alive(const json::Value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_double()) return value.get_double();
  const tl::unexpected<Error> wrong = fail(Code::bad_input, "keep_alive: give seconds, or a duration such as \"5m\"; -1 is for ever");
  if (!value.is_string()) return wrong;
  std::string_view text = value.get_string();
  double sign = 1, total = 0;
  if (text.starts_with('-')) {
    sign = -1;
    text.remove_prefix(1);
  }
  if (text.empty()) return wrong;
  struct Unit {
    std::string_view name;
    double seconds;
  };
  constexpr Unit units[] = {{"ns", 1e-9}, {"us", 1e-6}, {"µs", 1e-6}, {"ms", 1e-3}, {"h", 3600}, {"m", 60}, {"s", 1}};
  while (!text.empty()) {
    double number = 0;
    if (text[0] < '0' || text[0] > '9') return wrong;  // from_chars would take "nan"
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return wrong;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const Unit* found = nullptr;
    for (const Unit& unit : units)
      if (found == nullptr && text.starts_with(unit.name)) found = &unit;
    if (found == nullptr && (!text.empty() || total != 0)) return wrong;
    total += number * (found != nullptr ? found->seconds : 1);  // a bare number is seconds
    if (found != nullptr) text.remove_prefix(found->name.size());
  }
  return sign * total;
}

}  // namespace qn::api
