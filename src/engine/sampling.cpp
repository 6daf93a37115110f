#include "engine/sampling.h"

#include <algorithm>
#include <cmath>

namespace qn::engine {
namespace {

using P = SamplingParameters;
using O = SamplingOverrides;

constexpr NumberRow<float> floats[] = {
    {"temperature", &P::temperature, &O::temperature, 0, 1e6f},
    {"top_p", &P::top_p, &O::top_p, 0, 1},
    {"min_p", &P::min_p, &O::min_p, 0, 1},
    {"typical_p", &P::typical_p, &O::typical_p, 0, 1},
    {"top_n_sigma", &P::top_n_sigma, &O::top_n_sigma, -1, 1e6f},
    {"repeat_penalty", &P::repetition_penalty, &O::repetition_penalty, 1e-3f, 1e3f},
    {"presence_penalty", &P::presence_penalty, &O::presence_penalty, -1e3f, 1e3f},
    {"frequency_penalty", &P::frequency_penalty, &O::frequency_penalty, -1e3f, 1e3f},
    {"dry_multiplier", &P::dry_multiplier, &O::dry_multiplier, 0, 1e3f},
    {"dry_base", &P::dry_base, &O::dry_base, 1, 1e3f},
    {"xtc_probability", &P::xtc_probability, &O::xtc_probability, 0, 1},
    {"xtc_threshold", &P::xtc_threshold, &O::xtc_threshold, 0, 1},
};

constexpr int any_length = 1 << 30;
constexpr NumberRow<int> ints[] = {
    {"top_k", &P::top_k, &O::top_k, -1, any_length},
    {"repeat_last_n", &P::penalty_last_n, &O::penalty_last_n, -1, any_length},
    {"dry_allowed_length", &P::dry_allowed_length, &O::dry_allowed_length, 0, any_length},
    {"dry_penalty_last_n", &P::dry_last_n, &O::dry_last_n, -1, any_length},
};

template <class T>
Status check_range(std::span<const NumberRow<T>> rows, const P& parameters) {
  for (const NumberRow<T>& row : rows) {
    const T value = parameters.*row.value;
    if (!(value >= row.low && value <= row.high)) {  // so that NaN fails too
      return fail(Code::bad_input, "{}: {} is out of range; give a number from {} to {}", row.name, value, row.low, row.high);
    }
  }
  return {};
}

Status check_token(const char* name, TokenId token, int vocab) {
  if (token >= 0 && token < vocab) return {};
  return fail(Code::bad_input, "{}: token {} is not in the vocabulary; ids go from 0 to {}", name, token, vocab - 1);
}

template <class T>
void take(T& value, const std::optional<T>& said) {
  if (said) value = *said;
}

}  // namespace

std::vector<Stage> default_chain() {
  std::vector<Stage> chain;
  for (const StageRow& row : stage_rows) chain.push_back(row.stage);
  return chain;
}

std::span<const NumberRow<float>> float_rows() {
  return floats;
}
std::span<const NumberRow<int>> int_rows() {
  return ints;
}

SamplingParameters merge(SamplingParameters base, const SamplingOverrides& said) {
  for (const NumberRow<float>& row : floats) take(base.*row.value, said.*row.said);
  for (const NumberRow<int>& row : ints) take(base.*row.value, said.*row.said);
  take(base.penalize_prompt, said.penalize_prompt);
  take(base.seed, said.seed);
  take(base.dry_breakers, said.dry_breakers);
  take(base.logit_bias, said.logit_bias);
  take(base.chain, said.chain);
  return base;
}

Status check(const SamplingParameters& parameters, int vocab) {
  QN_OK(check_range<float>(floats, parameters));
  QN_OK(check_range<int>(ints, parameters));
  for (const TokenId token : parameters.dry_breakers) QN_OK(check_token("dry_sequence_breakers", token, vocab));
  if (!std::ranges::is_sorted(parameters.dry_breakers)) {
    return fail(Code::bad_input, "dry_sequence_breakers: ids are not in ascending order; sort them");
  }
  for (const LogitBias& entry : parameters.logit_bias) {
    QN_OK(check_token("logit_bias", entry.token, vocab));
    if (!(entry.bias <= std::numeric_limits<float>::max())) {  // minus infinity is allowed
      return fail(Code::bad_input, "logit_bias: {} for token {} is no bias; give a finite number, or minus infinity", entry.bias,
                  entry.token);
    }
  }
  for (const StageRow& row : stage_rows) {
    if (std::ranges::count(parameters.chain, row.stage) > 1) {
      return fail(Code::bad_input, "samplers: {} is listed twice; list it once", row.name);
    }
  }
  return {};
}

}  // namespace qn::engine
