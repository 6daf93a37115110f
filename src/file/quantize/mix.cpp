#include "file/quantize/mix.h"

#include <algorithm>
#include <charconv>

namespace qn::file {
namespace {

constexpr Mix table[] = {
    {"F32", 0, "F32", "32 bits a weight, as trained or better"},
    {"F16", 1, "F16", "16 bits; overflows beyond 65504"},
    {"BF16", 32, "BF16", "16 bits with the range of F32"},
    {"Q8_0", 7, "Q8_0", "8.5 bits a weight; no loss that can be noticed"},
    {"Q6_K", 18, "Q6_K", "6.6 bits; hardly any loss"},
    {"Q5_K_M", 17, "Q5_K", "5.7 bits; little loss", "Q5_K"},
    {"Q5_K_S", 16, "Q5_K", "5.5 bits; little loss"},
    {"Q5_1", 9, "Q5_1", "6 bits; older, Q5_K_M is better"},
    {"Q5_0", 8, "Q5_0", "5.5 bits; older, Q5_K_S is better"},
    {"Q4_K_M", 15, "Q4_K", "4.8 bits; what most people use", "Q4_K"},
    {"Q4_K_S", 14, "Q4_K", "4.6 bits; a little smaller"},
    {"Q4_1", 3, "Q4_1", "5 bits; older"},
    {"Q4_0", 2, "Q4_0", "4.5 bits; older, fast everywhere"},
    {"IQ4_NL", 25, "IQ4_NL", "4.5 bits, uneven steps"},
    {"IQ4_XS", 30, "IQ4_XS", "4.25 bits, uneven steps; better than its size"},
    {"Q3_K_L", 13, "Q3_K", "4.3 bits"},
    {"Q3_K_M", 12, "Q3_K", "3.9 bits; the loss can be noticed", "Q3_K"},
    {"Q3_K_S", 11, "Q3_K", "3.5 bits"},
    {"IQ3_M", 27, "IQ3_S", "3.7 bits"},
    {"IQ3_S", 26, "IQ3_S", "3.4 bits"},
    {"IQ3_XS", 22, "IQ3_S", "3.3 bits"},
    {"IQ3_XXS", 23, "IQ3_XXS", "3.1 bits; wants an importance matrix"},
    {"Q2_K", 10, "Q2_K", "3 bits; much is lost"},
    {"Q2_K_S", 21, "Q2_K", "2.7 bits; wants an importance matrix"},
    {"IQ2_M", 29, "IQ2_S", "2.7 bits; wants an importance matrix"},
    {"IQ2_S", 28, "IQ2_XS", "2.5 bits; wants an importance matrix"},
    {"IQ2_XS", 20, "IQ2_XS", "2.3 bits; wants an importance matrix"},
    {"IQ2_XXS", 19, "IQ2_XXS", "2.1 bits; wants an importance matrix"},
    {"IQ1_M", 31, "IQ1_M", "1.75 bits; wants an importance matrix"},
    {"IQ1_S", 24, "IQ1_S", "1.6 bits; wants an importance matrix"},
    {"TQ2_0", 37, "TQ2_0", "2.1 bits, for models trained on three values"},
    {"TQ1_0", 36, "TQ1_0", "1.7 bits, for models trained on three values"},
    {"MXFP4_MOE", 38, "MXFP4", "experts in MXFP4, the rest in Q8_0"},
    {"COPY", -1, "", "every tensor as it is: to change metadata, or to join a split model"},
};

constexpr std::string_view up_to_two_bits = "IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ2_M";
constexpr std::string_view above_two_bits =
    "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q2_K_S Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ3_XXS IQ3_XS IQ3_S IQ3_M IQ4_NL IQ4_XS "
    "TQ1_0 TQ2_0";

constexpr Rule rule_table[] = {
    // The output matrix, and the embedding table where it is also the output.
    {"MXFP4_MOE Q8_0", Role::output, When::always, "Q8_0"},
    {up_to_two_bits, Role::output, When::always, "Q5_K"},
    {"IQ3_XXS", Role::output, When::always, "Q5_K"},
    {"Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q2_K_S Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ3_XS IQ3_S IQ3_M IQ4_NL IQ4_XS TQ1_0 TQ2_0",
     Role::output, When::always, "Q6_K"},

    {"IQ1_S IQ1_M IQ2_XXS IQ2_XS", Role::token_embedding, When::always, "Q2_K"},
    {"IQ2_S IQ2_M IQ3_XXS", Role::token_embedding, When::always, "IQ3_S"},
    {"TQ1_0 TQ2_0", Role::token_embedding, When::always, "Q4_K"},
    {"MXFP4_MOE", Role::token_embedding, When::always, "Q8_0"},

    // Values: small matrices that many heads read.
    {above_two_bits, Role::attn_v, When::eight_experts, "Q8_0"},
    {up_to_two_bits, Role::attn_v, When::shared_heads_or_experts, "Q4_K"},
    {"IQ2_S IQ2_M", Role::attn_v, When::always, "IQ3_S"},
    {"IQ1_S IQ1_M IQ2_XXS IQ2_XS", Role::attn_v, When::always, "Q2_K"},
    {"Q2_K Q2_K_S IQ3_XXS IQ3_XS IQ3_S", Role::attn_v, When::shared_heads, "Q4_K"},
    {"Q2_K", Role::attn_v, When::always, "Q3_K"},
    {"IQ3_XXS", Role::attn_v, When::unweighted, "IQ3_S"},
    {"IQ3_M", Role::attn_v, When::always, "Q4_K"},
    {"Q3_K_M", Role::attn_v, When::first_two, "Q5_K"},
    {"Q3_K_M", Role::attn_v, When::always, "Q4_K"},
    {"Q3_K_L", Role::attn_v, When::always, "Q5_K"},
    {"IQ4_NL IQ4_XS", Role::attn_v, When::shared_heads, "Q5_K"},
    {"Q4_K_M Q5_K_M", Role::attn_v, When::more_bits, "Q6_K"},
    {"Q4_K_S", Role::attn_v, When::first_four, "Q5_K"},

    {above_two_bits, Role::attn_k, When::eight_experts, "Q8_0"},
    {up_to_two_bits, Role::attn_k, When::eight_experts, "Q4_K"},
    {"IQ3_XS", Role::attn_k, When::always, "IQ3_XXS"},
    {"IQ3_XXS", Role::attn_k, When::always, "IQ2_S"},
    {"IQ3_XS", Role::attn_q, When::always, "IQ3_XXS"},
    {"IQ3_XXS", Role::attn_q, When::always, "IQ2_S"},

    {up_to_two_bits, Role::attn_output, When::eight_experts, "Q5_K"},
    {"Q2_K Q3_K_S Q3_K_M Q4_K_S Q4_K_M IQ3_XXS IQ3_XS IQ3_S IQ3_M IQ4_NL IQ4_XS", Role::attn_output, When::eight_experts, "Q5_K"},
    {"Q3_K_L", Role::attn_output, When::eight_experts, "Q3_K"},
    {"IQ1_S IQ1_M", Role::attn_output, When::always, "IQ2_XXS"},
    {"IQ2_S IQ2_M IQ3_XXS", Role::attn_output, When::always, "IQ3_S"},
    {"Q2_K", Role::attn_output, When::always, "Q3_K"},
    {"Q3_K_M IQ3_M", Role::attn_output, When::always, "Q4_K"},
    {"Q3_K_L", Role::attn_output, When::always, "Q5_K"},

    {"IQ1_S IQ1_M IQ2_XXS IQ2_XS", Role::ffn_down, When::first_eighth, "Q2_K"},
    {"IQ2_S IQ2_M", Role::ffn_down, When::first_eighth, "IQ3_S"},
    {"Q2_K", Role::ffn_down, When::always, "Q3_K"},
    {"Q2_K_S IQ3_M", Role::ffn_down, When::first_eighth, "Q4_K"},
    {"IQ3_M", Role::ffn_down, When::more_bits_of_eight_experts, "Q4_K"},
    {"IQ3_XXS", Role::ffn_down, When::first_eighth_unweighted, "Q4_K"},
    {"IQ3_XXS", Role::ffn_down, When::unweighted, "Q3_K"},
    {"Q3_K_M", Role::ffn_down, When::first_sixteenth, "Q5_K"},
    {"Q3_K_M", Role::ffn_down, When::always, "Q4_K"},
    {"Q3_K_L", Role::ffn_down, When::always, "Q5_K"},
    {"Q4_K_M Q5_K_M", Role::ffn_down, When::more_bits, "Q6_K"},
    {"Q4_K_S", Role::ffn_down, When::first_eighth, "Q5_K"},
    {"IQ4_NL IQ4_XS", Role::ffn_down, When::first_eighth_unweighted, "Q5_K"},
    {"Q4_0", Role::ffn_down, When::first_eighth_weighted, "Q4_1"},
    {"Q5_0", Role::ffn_down, When::first_eighth_weighted, "Q5_1"},

    {"IQ3_XS", Role::ffn_gate, When::middle, "IQ3_XXS"},
    {"IQ3_XS", Role::ffn_up, When::middle, "IQ3_XXS"},
};

struct RoleName {
  std::string_view part;  // of the tensor's name
  Role role;
};
constexpr RoleName role_names[] = {
    {"attn_qkv.weight", Role::attn_v}, {"attn_kv_b.weight", Role::attn_v}, {"attn_v.weight", Role::attn_v},
    {"attn_k.weight", Role::attn_k},   {"attn_q.weight", Role::attn_q},    {"attn_output.weight", Role::attn_output},
    {"ffn_up", Role::ffn_up},          {"ffn_gate", Role::ffn_gate},       {"ffn_down", Role::ffn_down},
};

bool same_in_any_case(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return upper(x) == upper(y); });
}

}  // namespace

std::span<const Mix> mixes() {
  return table;
}

std::span<const Rule> rules() {
  return rule_table;
}

Result<const Mix*> find_mix(std::string_view name) {
  int number = -1;
  const bool is_number = !name.empty() && std::from_chars(name.data(), name.data() + name.size(), number).ptr == name.data() + name.size();
  for (const Mix& mix : table)
    if (is_number ? mix.file_type == number && number >= 0
                  : same_in_any_case(mix.name, name) || (!mix.alias.empty() && same_in_any_case(mix.alias, name)))
      return &mix;
  std::string known;
  for (const Mix& mix : table) known += fmt::format("{}{}", known.empty() ? "" : " ", mix.name);
  return fail(Code::bad_input, "type {}: not known; give one of {}", quoted(name), known);
}

Role role_of(std::string_view name) {
  if (name == "output.weight") return Role::output;
  if (name == "token_embd.weight" || name == "per_layer_token_embd.weight") return Role::token_embedding;
  for (const RoleName& known : role_names)
    if (name.find(known.part) != std::string_view::npos) return known.role;
  return Role::other;
}

}  // namespace qn::file
