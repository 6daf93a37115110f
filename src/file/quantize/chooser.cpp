#include "file/quantize/chooser.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace qn::file {
namespace {

// Parts of the names of matrices that stay as they are.
constexpr std::string_view kept_parts[] = {"_norm.weight",
                                           "ffn_gate_inp.weight",
                                           "ffn_gate_inp_shexp.weight",
                                           "ffn_gate_tid2eid.weight",
                                           "ssm_conv1d",
                                           "shortconv.conv.weight",
                                           "position_embd",
                                           "token_types",
                                           "attn_rel_b.weight",
                                           "altup",
                                           "laurel",
                                           "per_layer_model_proj",
                                           "time_mix_first.weight",
                                           "time_mix_w0.weight",
                                           "time_mix_w1.weight",
                                           "time_mix_w2.weight",
                                           "time_mix_v0.weight",
                                           "time_mix_v1.weight",
                                           "time_mix_v2.weight",
                                           "time_mix_a0.weight",
                                           "time_mix_a1.weight",
                                           "time_mix_a2.weight",
                                           "time_mix_g1.weight",
                                           "time_mix_g2.weight",
                                           "time_mix_decay_w1.weight",
                                           "time_mix_decay_w2.weight",
                                           "time_mix_lerp_fused.weight",
                                           "indexer.k_proj.weight",
                                           "indexer.q_proj.weight",
                                           ".rel_pos",
                                           ".patch_embd",
                                           ".patch_merger"};

struct Substitute {
  std::string_view wanted, given;
};
constexpr Substitute substitutes[] = {
    {"IQ1_S", "IQ4_NL"},   {"IQ1_M", "IQ4_NL"}, {"IQ2_XXS", "IQ4_NL"}, {"IQ2_XS", "IQ4_NL"}, {"IQ2_S", "IQ4_NL"},
    {"IQ3_XXS", "IQ4_NL"}, {"IQ3_S", "IQ4_NL"}, {"IQ4_XS", "IQ4_NL"},  {"Q2_K", "Q4_0"},     {"Q3_K", "Q4_0"},
    {"TQ1_0", "Q4_0"},     {"TQ2_0", "Q4_0"},   {"Q4_K", "Q5_0"},      {"Q5_K", "Q5_1"},     {"Q6_K", "Q8_0"},
};

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

const quant::Format* format_named(std::string_view name) {
  const quant::Format* format = quant::find_format(name);
  QN_CHECK(format != nullptr, "the tables name formats of the registry");
  return format;
}

// A number, or the first of several: heads may differ by layer.
Result<int> first_integer(const Metadata& metadata, const std::string& key) {
  if (const MetaValue* value = metadata.find(key); value != nullptr && !metadata.integer(key)) {
    QN_TRY(const auto list, metadata.integers(key));
    return list && !list->empty() ? static_cast<int>(std::clamp<std::int64_t>(list->front(), 0, INT32_MAX)) : 0;
  }
  QN_TRY(const auto number, metadata.integer(key));
  return static_cast<int>(std::clamp<std::int64_t>(number.value_or(0), 0, INT32_MAX));
}

}  // namespace

Result<ModelFacts> ModelFacts::of(const Checkpoint& model) {
  ModelFacts facts;
  QN_TRY(const auto architecture, model.metadata.text("general.architecture"));
  facts.architecture = architecture.value_or("");
  QN_TRY(facts.layers, first_integer(model.metadata, facts.architecture + ".block_count"));
  QN_TRY(facts.experts, first_integer(model.metadata, facts.architecture + ".expert_count"));
  QN_TRY(const int heads, first_integer(model.metadata, facts.architecture + ".attention.head_count"));
  QN_TRY(const int kv_heads, first_integer(model.metadata, facts.architecture + ".attention.head_count_kv"));
  const bool is_given = model.metadata.has(facts.architecture + ".attention.head_count_kv");
  facts.heads_per_kv_head = kv_heads > 0 ? heads / kv_heads : is_given || heads == 0 ? 0 : 1;
  facts.tied = model.find("output.weight") == nullptr;
  for (const TensorEntry& tensor : model.tensors) facts.value_matrices += role_of(tensor.name) == Role::attn_v ? 1 : 0;
  return facts;
}

Chooser::Chooser(const Mix& mix, ModelFacts facts) : mix_(mix), base_(format_named(mix.base)), facts_(std::move(facts)) {}

bool Chooser::applies(When when, int i, int n) const {
  const bool first_eighth = i < n / 8;
  const bool more_bits = first_eighth || i >= 7 * n / 8 || (i - n / 8) % 3 == 2;
  switch (when) {
    case When::always: return true;
    case When::first_eighth: return first_eighth;
    case When::first_eighth_weighted: return first_eighth && facts_.weighted;
    case When::first_eighth_unweighted: return first_eighth && !facts_.weighted;
    case When::first_sixteenth: return i < n / 16;
    case When::middle: return !first_eighth && i < 7 * n / 8;
    case When::more_bits: return more_bits;
    case When::more_bits_of_eight_experts: return facts_.experts == 8 && more_bits;
    case When::first_two: return i < 2;
    case When::first_four: return i < 4;
    case When::shared_heads: return facts_.heads_per_kv_head >= 4;
    case When::shared_heads_or_experts: return facts_.heads_per_kv_head >= 4 || facts_.experts >= 4;
    case When::eight_experts: return facts_.experts == 8;
    case When::unweighted: return !facts_.weighted;
  }
  return false;
}

const quant::Format* Chooser::choose(std::string_view name, std::int64_t columns, bool has_experts) {
  Role role = role_of(name);
  if (role == Role::token_embedding && facts_.tied) role = Role::output;
  if (role == Role::output && columns % base_->block_weights != 0) return format_named("Q8_0");
  if (mix_.name == "MXFP4_MOE" && role != Role::output) return format_named(has_experts ? "MXFP4" : "Q8_0");

  // Experts' tensors may come in any order: their layer is in their name. The mixes of up to two bits count tensors nevertheless.
  const bool counts_tensors = mix_.name.starts_with("IQ1") || mix_.name.starts_with("IQ2");
  const auto place = [&](int& count) {
    const int before = count++;
    return facts_.experts > 1 && !counts_tensors ? layer_of(name) : before;
  };
  int i = 0, n = facts_.layers;
  if (role == Role::attn_v) {
    i = value_matrix_++;
    n = facts_.value_matrices;
  }
  if (role == Role::ffn_up) i = place(up_);
  if (role == Role::ffn_gate) i = place(gate_);
  if (role == Role::ffn_down) i = place(down_);

  const auto of_rules = rules();
  const auto rule = std::find_if(of_rules.begin(), of_rules.end(), [&](const Rule& row) {
    return row.role == role && has_word(row.mixes, mix_.name) && applies(row.when, i, n);
  });
  const quant::Format* chosen = rule == of_rules.end() ? base_ : format_named(rule->format);
  const bool is_small = chosen->name == "Q3_K" || chosen->name == "Q4_K";
  if (role == Role::attn_v && facts_.is_70b() && is_small && !counts_tensors) return format_named("Q5_K");
  return chosen;
}

bool may_be_quantized(const TensorEntry& tensor) {
  const auto dimensions = std::count_if(tensor.shape.begin() + 1, tensor.shape.end(), [](std::int64_t n) { return n > 1; });
  if (dimensions == 0 || !tensor.name.ends_with("weight")) return false;
  return std::none_of(std::begin(kept_parts), std::end(kept_parts),
                      [&](std::string_view part) { return tensor.name.find(part) != std::string::npos; });
}

const quant::Format* fitting_format(const quant::Format* wanted, std::int64_t columns) {
  if (columns % wanted->block_weights == 0) return wanted;
  const auto found =
      std::find_if(std::begin(substitutes), std::end(substitutes), [&](const Substitute& row) { return row.wanted == wanted->name; });
  const quant::Format* given = found == std::end(substitutes) ? wanted : format_named(found->given);
  return columns % given->block_weights == 0 ? given : format_named("F16");
}

int layer_of(std::string_view name) {
  constexpr std::string_view opening = "blk.";
  int layer = -1;
  if (!name.starts_with(opening)) return -1;
  const auto [end, error] = std::from_chars(name.data() + opening.size(), name.data() + name.size(), layer);
  return error == std::errc() && end != name.data() + name.size() && *end == '.' && layer >= 0 ? layer : -1;
}

}  // namespace qn::file
