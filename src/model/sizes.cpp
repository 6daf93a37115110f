#include "model/sizes.h"

#include <cmath>
#include <optional>

namespace qn::model {
namespace {

// Bounds far above any real model and far below where a product of three overflows 64 bits.
constexpr std::int64_t max_layers = 4096;
constexpr std::int64_t max_width = 1 << 20;
constexpr std::int64_t max_heads = 1 << 14;
constexpr std::int64_t max_head = 1 << 12;
constexpr std::int64_t max_context = 1 << 28;

class Reader {
 public:
  Reader(const file::Metadata& metadata, std::string_view architecture) : metadata_(metadata), prefix_(std::string(architecture) + ".") {}

  Result<int> required(std::string_view name, std::int64_t low, std::int64_t high) const {
    QN_TRY(const std::optional<int> value, optional(name, low, high));
    if (!value) return fail(Code::bad_input, "metadata {}{}: missing; the file is incomplete, get it again", prefix_, name);
    return *value;
  }

  Result<std::optional<int>> optional(std::string_view name, std::int64_t low, std::int64_t high) const {
    const std::string key = prefix_ + std::string(name);
    QN_TRY(const std::optional<std::int64_t> value, metadata_.integer(key));
    if (!value) return std::optional<int>();
    if (*value < low || *value > high)
      return fail(Code::bad_input, "metadata {}: {} found, {} to {} allowed; the file is damaged or not a model of this kind", key, *value,
                  low, high);
    return std::optional<int>(static_cast<int>(*value));
  }

  // One number for all layers, or a list with one a layer, which must then agree.
  Result<std::optional<int>> uniform(std::string_view name, std::int64_t low, std::int64_t high, int layers) const {
    const std::string key = prefix_ + std::string(name);
    const file::MetaValue* value = metadata_.find(key);
    if (value == nullptr || !is_list(*value)) return optional(name, low, high);
    QN_TRY(const auto list, metadata_.integers(key));
    if (list->size() != static_cast<std::size_t>(layers))
      return fail(Code::bad_input, "metadata {}: {} entries for {} layers; the file is damaged", key, list->size(), layers);
    for (const std::int64_t entry : *list)
      if (entry != list->front())
        return fail(Code::unsupported, "metadata {}: layers differ ({} and {}); one number for all layers is supported", key, list->front(),
                    entry);
    if (list->front() < low || list->front() > high)
      return fail(Code::bad_input, "metadata {}: {} found, {} to {} allowed; the file is damaged", key, list->front(), low, high);
    return std::optional<int>(static_cast<int>(list->front()));
  }

  Result<std::optional<float>> positive(std::string_view name) const {
    const std::string key = prefix_ + std::string(name);
    QN_TRY(const std::optional<double> value, metadata_.number(key));
    if (!value) return std::optional<float>();
    if (!std::isfinite(*value) || *value <= 0 || *value > 1e30)
      return fail(Code::bad_input, "metadata {}: {} found, a positive number needed; the file is damaged", key, *value);
    return std::optional<float>(static_cast<float>(*value));
  }

  Result<std::optional<std::string>> text(std::string_view name) const { return metadata_.text(prefix_ + std::string(name)); }

  // attention.sliding_window for all layers, or for those that attention.sliding_window_pattern marks:
  // a list of one flag a layer, or a period n, in which every n-th layer sees everything.
  Result<std::vector<int>> windows(int layers) const {
    std::vector<int> out(static_cast<std::size_t>(layers), 0);
    QN_TRY(const std::optional<int> window, optional("attention.sliding_window", 0, max_context));
    if (!window || *window == 0) return out;
    const std::string key = prefix_ + "attention.sliding_window_pattern";
    const file::MetaValue* pattern = metadata_.find(key);
    if (pattern == nullptr) {
      out.assign(out.size(), *window);
      return out;
    }
    if (const auto* flags = std::get_if<file::ArrayOf<bool>>(pattern)) {
      if (flags->values.size() != out.size())
        return fail(Code::bad_input, "metadata {}: {} entries for {} layers; the file is damaged", key, flags->values.size(), layers);
      for (std::size_t layer = 0; layer < out.size(); ++layer) out[layer] = flags->values[layer] ? *window : 0;
      return out;
    }
    QN_TRY(const int period, required("attention.sliding_window_pattern", 1, max_layers));
    for (int layer = 0; layer < layers; ++layer) out[static_cast<std::size_t>(layer)] = layer % period < period - 1 ? *window : 0;
    return out;
  }

  Result<RopeScaling> rope_scaling() const {
    RopeScaling scaling;
    QN_TRY(const std::optional<std::string> kind, text("rope.scaling.type"));
    QN_TRY(const std::optional<float> factor, positive("rope.scaling.factor"));
    if (!kind || *kind == "none") {
      // Files from before "type" existed carry a factor only, and mean linear.
      QN_TRY(const std::optional<float> old, positive("rope.scale_linear"));
      if (old && *old != 1) scaling = {.kind = RopeScaling::Kind::linear, .factor = *old};
      return scaling;
    }
    if (*kind != "linear" && *kind != "yarn")
      return fail(Code::unsupported, "metadata {}rope.scaling.type: {} found; none, linear and yarn are supported", prefix_, quoted(*kind));
    if (!factor)
      return fail(Code::bad_input, "metadata {}rope.scaling.factor: missing, and type is {}; the file is incomplete", prefix_, *kind);
    scaling.kind = *kind == "yarn" ? RopeScaling::Kind::yarn : RopeScaling::Kind::linear;
    scaling.factor = *factor;
    if (scaling.kind == RopeScaling::Kind::linear) return scaling;
    QN_TRY(scaling.original_context, required("rope.scaling.original_context_length", 1, max_context));
    QN_TRY(const std::optional<float> attention, positive("rope.scaling.attn_factor"));
    QN_TRY(const std::optional<float> fast, positive("rope.scaling.yarn_beta_fast"));
    QN_TRY(const std::optional<float> slow, positive("rope.scaling.yarn_beta_slow"));
    // In GGUF attn_factor multiplies the default factor; Transformers' attention_factor replaces it.
    if (attention) scaling.attention_factor = *attention * (0.1f * std::log(scaling.factor) + 1);
    scaling.beta_fast = fast.value_or(scaling.beta_fast);
    scaling.beta_slow = slow.value_or(scaling.beta_slow);
    return scaling;
  }

 private:
  static bool is_list(const file::MetaValue& value) {
    return std::visit(
        []<class T>(const T&) {
          return requires(const T& t) {
            t.values;
          };
        },
        value);
  }

  const file::Metadata& metadata_;
  std::string prefix_;
};

}  // namespace

Result<Sizes> read_decoder_sizes(const file::Metadata& metadata, std::string_view architecture, int vocab_rows, RopeLayout layout) {
  const Reader read(metadata, architecture);
  Sizes s;
  s.architecture = architecture;
  s.vocab = vocab_rows;
  s.rope_layout = layout;
  QN_TRY(s.layers, read.required("block_count", 1, max_layers));
  QN_TRY(s.width, read.required("embedding_length", 1, max_width));
  QN_TRY(const auto feed_forward, read.uniform("feed_forward_length", 1, max_width, s.layers));
  QN_TRY(const auto heads, read.uniform("attention.head_count", 1, max_heads, s.layers));
  if (!feed_forward || !heads)
    return fail(Code::bad_input, "metadata {}.{}: missing; the file is incomplete, get it again", architecture,
                feed_forward ? "attention.head_count" : "feed_forward_length");
  s.feed_forward = *feed_forward;
  s.heads = *heads;
  QN_TRY(const auto kv_heads, read.uniform("attention.head_count_kv", 1, max_heads, s.layers));
  s.kv_heads = kv_heads.value_or(s.heads);
  if (s.heads % s.kv_heads != 0)
    return fail(Code::bad_input, "metadata {}.attention.head_count: {} query heads cannot share {} key heads; the file is damaged",
                architecture, s.heads, s.kv_heads);
  QN_TRY(const auto key_length, read.optional("attention.key_length", 1, max_head));
  QN_TRY(const auto value_length, read.optional("attention.value_length", 1, max_head));
  if (!key_length && s.width % s.heads != 0)
    return fail(Code::bad_input,
                "metadata {}.embedding_length: {} is not a multiple of {} heads, and attention.key_length is missing; the file is damaged",
                architecture, s.width, s.heads);
  s.head = key_length.value_or(s.width / s.heads);
  if (s.head > max_head)
    return fail(Code::bad_input, "metadata {}: heads of {} components, at most {} supported; the file is damaged", architecture, s.head,
                max_head);
  if (value_length.value_or(s.head) != s.head)
    return fail(Code::unsupported, "metadata {}.attention.value_length: {} differs from key_length {}; equal lengths are supported",
                architecture, *value_length, s.head);
  QN_TRY(s.context, read.required("context_length", 1, max_context));
  QN_TRY(const auto eps, read.positive("attention.layer_norm_rms_epsilon"));
  if (!eps)
    return fail(Code::bad_input, "metadata {}.attention.layer_norm_rms_epsilon: missing; the file is incomplete, get it again",
                architecture);
  s.norm_eps = *eps;
  QN_TRY(const auto theta, read.positive("rope.freq_base"));
  s.rope_theta = theta.value_or(10000.0f);
  QN_TRY(const auto rotated, read.optional("rope.dimension_count", 2, s.head));
  s.rotated = rotated.value_or(s.head);
  if (s.rotated % 2 != 0)
    return fail(Code::bad_input, "metadata {}.rope.dimension_count: {} is odd; the file is damaged", architecture, s.rotated);
  QN_TRY(s.rope_scaling, read.rope_scaling());
  QN_TRY(s.window, read.windows(s.layers));
  return s;
}

}  // namespace qn::model
