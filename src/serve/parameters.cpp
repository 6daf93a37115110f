#include "serve/parameters.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace qn::serve {
namespace {

using O = engine::SamplingOverrides;
using P = Parameters;

constexpr std::size_t most_stops = 16, longest_stop_bytes = 256;

//   source   names and meanings: Ollama's Modelfile reference; keys: llama.cpp pull request 17120
constexpr ParameterRow rows[] = {
    {"temperature", "0 picks the likeliest token; higher is more varied", &O::temperature, "general.sampling.temp"},
    {"top_k", "choose among the k likeliest tokens; 0: all", &O::top_k, "general.sampling.top_k"},
    {"top_p", "choose among the likeliest that make up this share; 1: all", &O::top_p, "general.sampling.top_p"},
    {"min_p", "drop tokens below this share of the likeliest one; 0: none", &O::min_p, "general.sampling.min_p"},
    {"typical_p", "keep tokens of typical surprise up to this share; 1: all", &O::typical_p},
    {"top_n_sigma", "keep logits within n deviations of the best; -1: all", &O::top_n_sigma},
    {"repeat_penalty", "make recent tokens less likely; 1: no change", &O::repetition_penalty, "general.sampling.penalty_repeat"},
    {"repeat_last_n", "how many tokens are recent; 0: none, -1: all", &O::penalty_last_n, "general.sampling.penalty_last_n"},
    {"presence_penalty", "taken from the logit of every recent token", &O::presence_penalty},
    {"frequency_penalty", "the same, for each time the token occurs", &O::frequency_penalty},
    {"xtc_probability", "how often the likeliest are left out; 0: never", &O::xtc_probability, "general.sampling.xtc_probability"},
    {"xtc_threshold", "what counts as likely for xtc_probability", &O::xtc_threshold, "general.sampling.xtc_threshold"},
    {"dry_multiplier", "strength of the penalty on repeated phrases; 0: none", &O::dry_multiplier},
    {"dry_base", "how fast it grows with the length of the phrase", &O::dry_base},
    {"dry_allowed_length", "phrases up to this length are free", &O::dry_allowed_length},
    {"dry_penalty_last_n", "how many tokens are searched; 0: none, -1: all", &O::dry_last_n},
    {"seed", "the same seed gives the same reply; -1: another each time", &O::seed},
    {"num_predict", "at most this many tokens; 0 or less: no limit", &P::num_predict, "", -2},
    {"num_ctx", "tokens the window holds; 0: what fits", &P::num_ctx, "", 0},
    {"stop", "a text that ends the reply and is not shown", &P::stop},
};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> read(std::string_view text) {
  T value{};
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
Status check_range(std::string_view name, T value, T low, T high) {
  if (value >= low && value <= high) return {};
  return fail(Code::bad_input, "{}: {} is out of range; give a value from {} to {}", name, value, low, high);
}

// The engine's own row for a sampling number: its range is stated there.
template <class T>
Status check_range(std::string_view name, std::optional<T> O::*field, T value, std::span<const engine::NumberRow<T>> table) {
  for (const engine::NumberRow<T>& row : table)
    if (row.said == field) return check_range(name, value, row.low, row.high);
  return {};
}

tl::unexpected<Error> invalid(std::string_view kind, std::string_view value) {
  return fail(Code::bad_input, "invalid {} value [{}]", kind, value.substr(0, 64));
}

struct Setter {
  P& parameters;
  const ParameterRow& row;
  std::string_view value;

  Status operator()(SamplingFloat field) const {
    const auto number = read<float>(value);
    if (!number || !std::isfinite(*number)) return invalid("float", value);
    QN_OK(check_range<float>(row.name, field, *number, engine::float_rows()));
    parameters.sampling.*field = *number;
    return {};
  }
  Status operator()(SamplingInt field) const {
    const auto number = read<int>(value);
    if (!number) return invalid("int", value);
    QN_OK(check_range<int>(row.name, field, *number, engine::int_rows()));
    parameters.sampling.*field = *number;
    return {};
  }
  Status operator()(SamplingSeed field) const {
    if (trimmed(value) == "-1") {
      (parameters.sampling.*field).reset();
      return {};
    }
    const auto number = read<std::uint64_t>(value);
    if (!number) return invalid("int", value);
    parameters.sampling.*field = *number;
    return {};
  }
  Status operator()(Count field) const {
    const auto number = read<int>(value);
    if (!number) return invalid("int", value);
    QN_OK(check_range(row.name, *number, row.least, std::numeric_limits<int>::max()));
    parameters.*field = *number;
    return {};
  }
  Status operator()(Texts field) const {
    if (value.empty()) return fail(Code::bad_input, "{}: empty; give the text that ends a reply", row.name);
    if (value.size() > longest_stop_bytes || (parameters.*field).size() >= most_stops)
      return fail(Code::too_large, "{}: at most {} of {} bytes each; use fewer or shorter ones", row.name, most_stops, longest_stop_bytes);
    (parameters.*field).emplace_back(value);
    return {};
  }
};

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
  return std::visit(Setter{parameters, *row, value}, row->field);
}

std::vector<std::string> parameter_values(const Parameters& parameters, const ParameterRow& row) {
  const auto one = [](const auto& value) {
    return value ? std::vector<std::string>{fmt::format("{}", *value)} : std::vector<std::string>{};
  };
  return std::visit(
      [&](auto field) {
        if constexpr (std::is_same_v<decltype(field), Texts>)
          return parameters.*field;
        else if constexpr (std::is_same_v<decltype(field), Count>)
          return one(parameters.*field);
        else
          return one(parameters.sampling.*field);
      },
      row.field);
}

Result<Parameters> recommended_parameters(const file::Metadata& metadata) {
  Parameters parameters;
  for (const ParameterRow& row : rows) {
    if (row.model_key.empty()) continue;
    QN_TRY(const std::optional<double> found, metadata.number(row.model_key));
    if (!found) continue;
    // As text: an f32 of 0.95 reads "0.95", and one path checks every value.
    const std::string text = fmt::format("{}", static_cast<float>(*found));
    if (const Status set = set_parameter(parameters, row.name, text); !set)
      return fail(Code::bad_input, "metadata {}: {}; the file is damaged", row.model_key, set.error().message);
  }
  return parameters;
}

Parameters merge(const Parameters& first, const Parameters& second) {
  Parameters both = first;
  const auto fill = [](auto& value, const auto& other) {
    if (!value) value = other;
  };
  for (const ParameterRow& row : rows) {
    std::visit(
        [&](auto field) {
          if constexpr (std::is_same_v<decltype(field), Texts>) {
            if ((both.*field).empty()) both.*field = second.*field;
          } else if constexpr (std::is_same_v<decltype(field), Count>) {
            fill(both.*field, second.*field);
          } else {
            fill(both.sampling.*field, second.sampling.*field);
          }
        },
        row.field);
  }
  fill(both.sampling.logit_bias, second.sampling.logit_bias);
  return both;
}

}  // namespace qn::serve
