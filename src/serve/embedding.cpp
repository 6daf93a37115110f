#include "serve/embedding.h"

#include <algorithm>
#include <cmath>

namespace qn::serve {
namespace {

constexpr std::int64_t pooling_none = 0, pooling_mean = 1, pooling_cls = 2, pooling_last = 3;

Result<std::optional<std::int64_t>> pooling_type(const LoadedModel& model) {
  return model.checkpoint->metadata.integer(model.model->sizes().architecture + ".pooling_type");
}

}  // namespace

Result<engine::Pooling> pooling_of(const LoadedModel& model) {
  QN_TRY(const std::optional<std::int64_t> type, pooling_type(model));
  switch (type.value_or(pooling_last)) {
    case pooling_mean: return engine::Pooling::mean;
    case pooling_cls: return engine::Pooling::cls;
    case pooling_none:
    case pooling_last: return engine::Pooling::last;
    default: break;
  }
  return fail(Code::unsupported, "model {}: its file asks for pooling type {}, offered are mean, cls and last; use another model",
              quoted(model.name), *type);
}

bool is_embedding_model(const LoadedModel& model) {
  const Result<std::optional<std::int64_t>> type = pooling_type(model);
  return type && *type && **type >= pooling_mean && **type <= pooling_last;
}

std::vector<TokenId> embedding_tokens(const LoadedModel& model, std::string_view text) {
  return model.tokenizer->encode(text, {text::Specials::as_text, true, true});
}

void cut_to(std::vector<TokenId>& tokens, std::size_t most, const LoadedModel& model) {
  if (tokens.size() <= most) return;
  const text::VocabSpec& vocab = model.tokenizer->spec();
  const bool keeps_end = vocab.add_eos && vocab.eos >= 0 && tokens.back() == vocab.eos;
  tokens.resize(most);
  if (keeps_end && !tokens.empty()) tokens.back() = vocab.eos;
}

void normalize(std::vector<float>& vector, int norm) {
  if (norm == no_norm) return;
  double size = 0;
  for (const float x : vector) {
    const double part = std::abs(static_cast<double>(x));
    if (norm == norm_of_largest) {
      size = std::max(size, part / 32760.0);
    } else {
      size += norm == norm_euclidean ? part * part : std::pow(part, norm);
    }
  }
  if (norm == norm_euclidean) size = std::sqrt(size);
  if (norm > 0 && norm != norm_euclidean) size = std::pow(size, 1.0 / norm);
  if (!(size > 0)) return;
  for (float& x : vector) x = static_cast<float>(static_cast<double>(x) / size);
}

double dot_product(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum = std::fma(static_cast<double>(a[i]), static_cast<double>(b[i]), sum);
  return sum;
}

}  // namespace qn::serve
