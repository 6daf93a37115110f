#include "cli/sampling_flags.h"

#include "serve/session.h"

namespace qn::cli {
namespace {

struct SamplingFlag {
  const char* names;
  std::string_view parameter;
  const char* type;
};
constexpr SamplingFlag sampling_flags[] = {
    {"--temp,--temperature", "temperature", "T"},
    {"--top-k", "top_k", "N"},
    {"--top-p", "top_p", "P"},
    {"--min-p", "min_p", "P"},
    {"--typical", "typical_p", "P"},
    {"--top-n-sigma", "top_n_sigma", "N"},
    {"--repeat-penalty", "repeat_penalty", "X"},
    {"--repeat-last-n", "repeat_last_n", "N"},
    {"--presence-penalty", "presence_penalty", "X"},
    {"--frequency-penalty", "frequency_penalty", "X"},
    {"--xtc-probability", "xtc_probability", "P"},
    {"--xtc-threshold", "xtc_threshold", "P"},
    {"--dry-multiplier", "dry_multiplier", "X"},
    {"--dry-base", "dry_base", "X"},
    {"--dry-allowed-length", "dry_allowed_length", "N"},
    {"--dry-penalty-last-n", "dry_penalty_last_n", "N"},
    {"-s,--seed", "seed", "N"},
    {"-n,--predict,--n-predict", "num_predict", "N"},
    {"--stop", "stop", "TEXT"},
};

}  // namespace

void SamplingFlags::declare(CLI::App& app, const std::string& group) {
  values_.resize(std::size(sampling_flags));
  for (std::size_t i = 0; i < std::size(sampling_flags); ++i) {
    const serve::ParameterRow* row = serve::find_parameter(sampling_flags[i].parameter);
    // A value each time, and no word of the prompt.
    app.add_option(sampling_flags[i].names, values_[i], std::string(row->summary))
        ->type_name(sampling_flags[i].type)
        ->group(group)
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
}

Status SamplingFlags::read(serve::Parameters& parameters) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::string_view names = sampling_flags[i].names;
    const std::string_view shown = names.substr(names.find("--"));
    for (const std::string& value : values_[i])
      if (const Status set = serve::set_parameter(parameters, sampling_flags[i].parameter, value); !set)
        return fail(set.error().code, "{}: {}", shown.substr(0, shown.find(',')), set.error().message);
  }
  return {};
}

// Template text, or the one name that stands for a text.
Result<std::string> read_template_flag(const std::string& text) {
  if (text == "chatml") return std::string(serve::chatml_template);
  if (text.find('{') == std::string::npos)
    return fail(Code::unsupported, "--chat-template: {} is no template known by name; give its text, a file, or chatml", qn::quoted(text));
  return text;
}

Result<json::Object> read_template_arguments(const std::string& text) {
  const Result<json::Value> value = json::parse(text);
  if (!value) return fail(Code::bad_input, "--chat-template-kwargs: {}", value.error().message);
  const json::Object* object = value->if_object();
  if (object == nullptr) return fail(Code::bad_input, "--chat-template-kwargs: expected a JSON object, got {}", qn::quoted(text));
  return *object;
}

}  // namespace qn::cli
