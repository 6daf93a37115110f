#include "serve/parameters.h"

#include <charconv>
#include <cmath>
#include <limits>


namespace qn::serve {
namespace {

constexpr double int32_most = std::numeric_limits<std::int32_t>::max();
constexpr double seed_most = 4294967295.0;
constexpr std::size_t most_stops = 16, longest_stop_bytes = 256;

//   source   names and meanings: Ollama's Modelfile reference; keys: llama.cpp pull request 17120
constexpr ParameterRow rows[] = {
    {"temperature", "0 picks the likeliest token; higher is more varied", &Parameters::temperature, 0, 100, "general.sampling.temp"},
    {"top_k", "choose among the k likeliest tokens; 0: all", &Parameters::top_k, 0, int32_most, "general.sampling.top_k"},
    {"top_p", "choose among the likeliest tokens that make up this share; 1: all", &Parameters::top_p, 0, 1, "general.sampling.top_p"},
    {"min_p", "drop tokens below this share of the likeliest one's probability; 0: none", &Parameters::min_p, 0, 1,
     "general.sampling.min_p"},
    {"typical_p", "keep tokens of typical surprise up to this share; 1: all", &Parameters::typical_p, 0, 1},
    {"top_n_sigma", "keep logits within n standard deviations of the largest; below 0: all", &Parameters::top_n_sigma, -1, 100},
    {"repeat_penalty", "divide the odds of recent tokens; 1: no change", &Parameters::repeat_penalty, 0.01, 100,
     "general.sampling.penalty_repeat"},
    {"repeat_last_n", "how many tokens count as recent; 0: none, -1: the whole window", &Parameters::repeat_last_n, -1, int32_most,
     "general.sampling.penalty_last_n"},
    {"presence_penalty", "taken from the logit of every recent token", &Parameters::presence_penalty, -100, 100},
    {"frequency_penalty", "taken from the logit of recent tokens for each time they occur", &Parameters::frequency_penalty, -100, 100},
    {"xtc_probability", "how often the likeliest choices are left out; 0: never", &Parameters::xtc_probability, 0, 1,
     "general.sampling.xtc_probability"},
    {"xtc_threshold", "what counts as a likely choice for xtc_probability", &Parameters::xtc_threshold, 0, 1,
     "general.sampling.xtc_threshold"},
    {"dry_multiplier", "strength of the penalty on repeated sequences; 0: none", &Parameters::dry_multiplier, 0, 100},
    {"dry_base", "how fast that penalty grows with the length of the repetition", &Parameters::dry_base, 1, 100},
    {"dry_allowed_length", "repetitions up to this length are free", &Parameters::dry_allowed_length, 0, int32_most},
    {"dry_penalty_last_n", "how many tokens are searched for repetitions; 0: none, -1: the whole window", &Parameters::dry_penalty_last_n,
     -1, int32_most},
    {"seed", "the same seed gives the same reply; unset or -1: another one each time", &Parameters::seed, -1, seed_most},
    {"num_predict", "at most this many tokens; -1: no limit, -2: until the window is full", &Parameters::num_predict, -2, int32_most},
    {"num_ctx", "tokens the window holds; takes effect when a model is loaded", &Parameters::num_ctx, 0, int32_most},
    {"stop", "a text that ends the reply and is not shown", &Parameters::stop},
};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::optional<double> read_number(std::string_view text) {
  double value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> read_integer(std::string_view text) {
  std::int64_t value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
Status check_range(const ParameterRow& row, T value) {
  if (static_cast<double>(value) >= row.least && static_cast<double>(value) <= row.most) return {};
  return fail(Code::bad_input, "{}: {} is out of range; give a value from {} to {}", row.name, value, row.least, row.most);
}

}  // namespace

std::span<const ParameterRow> parameter_rows() {
  return rows;
}

const ParameterRow* find_parameter(std::string_view name) {
  for (const ParameterRow& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

Status set_parameter(Parameters& parameters, std::string_view name, std::string_view value) {
  const ParameterRow* row = find_parameter(name);
  if (row == nullptr) return fail(Code::bad_input, "unknown parameter {}", qn::quoted(name));
  if (const auto* number = std::get_if<NumberField>(&row->field)) {
    const auto read = read_number(trimmed(value));
    if (!read) return fail(Code::bad_input, "invalid float value [{}]", value.substr(0, 64));
    QN_OK(check_range(*row, *read));
    parameters.*(*number) = *read;
  } else if (const auto* integer = std::get_if<IntegerField>(&row->field)) {
    const auto read = read_integer(trimmed(value));
    if (!read) return fail(Code::bad_input, "invalid int value [{}]", value.substr(0, 64));
    QN_OK(check_range(*row, *read));
    parameters.*(*integer) = *read;
  } else {
    std::vector<std::string>& texts = parameters.*std::get<TextsField>(row->field);
    if (value.empty()) return fail(Code::bad_input, "{}: empty; give the text that ends a reply", row->name);
    if (value.size() > longest_stop_bytes || texts.size() >= most_stops)
      return fail(Code::too_large, "{}: at most {} of {} bytes each; use fewer or shorter ones", row->name, most_stops, longest_stop_bytes);
    texts.emplace_back(value);
  }
  return {};
}

std::vector<std::string> parameter_values(const Parameters& parameters, const ParameterRow& row) {
  if (const auto* number = std::get_if<NumberField>(&row.field)) {
    const auto value = parameters.*(*number);
    return value ? std::vector<std::string>{fmt::format("{}", *value)} : std::vector<std::string>{};
  }
  if (const auto* integer = std::get_if<IntegerField>(&row.field)) {
    const auto value = parameters.*(*integer);
    return value ? std::vector<std::string>{fmt::format("{}", *value)} : std::vector<std::string>{};
  }
  return parameters.*std::get<TextsField>(row.field);
}

Result<Parameters> recommended_parameters(const file::Metadata& metadata) {
  Parameters parameters;
  for (const ParameterRow& row : rows) {
    if (row.model_key.empty()) continue;
    if (const auto* number = std::get_if<NumberField>(&row.field)) {
      QN_TRY(const std::optional<double> value, metadata.number(row.model_key));
      // Files hold f32: 0.95 must not become 0.949999988.
      if (value) parameters.*(*number) = read_number(fmt::format("{}", static_cast<float>(*value)));
    } else if (const auto* integer = std::get_if<IntegerField>(&row.field)) {
      QN_TRY(parameters.*(*integer), metadata.integer(row.model_key));
    }
  }
  for (const ParameterRow& row : rows) {
    for (const std::string& text : parameter_values(parameters, row)) {
      const auto value = read_number(text);
      if (!value || *value < row.least || *value > row.most)
        return fail(Code::bad_input, "metadata {}: {} is out of range, {} to {} expected; the file is damaged", row.model_key, text,
                    row.least, row.most);
    }
  }
  return parameters;
}

Parameters merge(const Parameters& first, const Parameters& second) {
  Parameters both = first;
  for (const ParameterRow& row : rows) {
    std::visit(
        [&](auto field) {
          using Field = std::remove_reference_t<decltype(both.*field)>;
          if constexpr (std::is_same_v<Field, std::vector<std::string>>) {
            if ((both.*field).empty()) both.*field = second.*field;
          } else {
            if (!(both.*field)) both.*field = second.*field;
          }
        },
        row.field);
  }
  return both;
}

}  // namespace qn::serve
