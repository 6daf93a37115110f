// Our choice of types against llama.cpp's, tensor by tensor: tests/data/quantize/mixes.txt, made by tools/golden/mixes.py.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "file/quantize/plan.h"

namespace qn::file {
namespace {

struct ModelLine {
  std::string architecture, output;
  int layers = 0, heads = 0, kv_heads = 0, experts = 0, columns = 0;
};

ModelLine read_model(const std::string& line) {
  std::istringstream in(line);
  std::string word;
  ModelLine model;
  in >> word >> model.architecture >> word >> model.layers >> word >> model.heads >> word >> model.kv_heads >> word >> model.experts >>
      word >> model.columns >> word >> model.output;
  return model;
}

Checkpoint make_model(const ModelLine& line) {
  Checkpoint model;
  const std::string& name = line.architecture;
  model.metadata.set("general.architecture", name);
  model.metadata.set(name + ".block_count", static_cast<std::uint32_t>(line.layers));
  model.metadata.set(name + ".attention.head_count", static_cast<std::uint32_t>(line.heads));
  model.metadata.set(name + ".attention.head_count_kv", static_cast<std::uint32_t>(line.kv_heads));
  if (line.experts > 0) model.metadata.set(name + ".expert_count", static_cast<std::uint32_t>(line.experts));
  const auto add = [&](std::string tensor, std::vector<std::int64_t> shape) {
    model.tensors.push_back({std::move(tensor), quant::find_format(shape.size() > 1 ? "F16" : "F32"), std::move(shape), {}});
  };
  const std::int64_t columns = line.columns;
  add("token_embd.weight", {columns, 32});
  add("output_norm.weight", {columns});
  if (line.output == "own") add("output.weight", {columns, 32});
  // The last layers first: rules count layers, not places in the file.
  for (int layer = line.layers; layer-- > 0;) {
    const std::string blk = fmt::format("blk.{}.", layer);
    add(blk + "attn_norm.weight", {columns});
    for (const char* matrix : {"attn_q", "attn_k", "attn_v", "attn_output"}) add(blk + matrix + ".weight", {columns, columns});
    if (line.experts > 0) add(blk + "ffn_gate_inp.weight", {columns, line.experts});
    for (const char* matrix : {"ffn_gate", "ffn_up", "ffn_down"}) {
      if (line.experts > 0)
        add(blk + matrix + "_exps.weight", {columns, columns, line.experts});
      else
        add(blk + matrix + ".weight", {columns, columns});
    }
  }
  model.index();
  return model;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

// "attn_q Q4_K*3 Q5_K*1 | …", as the golden file writes it.
std::string describe(const QuantizePlan& plan, int layers) {
  static constexpr const char* roles[] = {"token_embd", "output", "attn_q",   "attn_k",        "attn_v",      "attn_output",
                                          "ffn_gate",   "ffn_up", "ffn_down", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"};
  std::map<std::string, std::string> types;
  for (const OutputTensor& tensor : plan.files.at(0).tensors) types[tensor.name] = upper(tensor.format->name);
  std::string text;
  for (const std::string role : roles) {
    std::vector<std::string> found;
    if (const auto whole = types.find(role + ".weight"); whole != types.end()) found.push_back(whole->second);
    for (int layer = 0; layer < layers; ++layer)
      if (const auto of_layer = types.find(fmt::format("blk.{}.{}.weight", layer, role)); of_layer != types.end())
        found.push_back(of_layer->second);
    if (found.empty()) continue;
    text += (text.empty() ? "" : " | ") + role;
    for (std::size_t i = 0; i < found.size();) {
      std::size_t end = i;
      while (end < found.size() && found[end] == found[i]) ++end;
      text += fmt::format(" {}*{}", found[i], end - i);
      i = end;
    }
  }
  return text;
}

TEST(QuantizeMix, every_tensor_gets_the_type_that_llama_cpp_gives_it) {
  std::ifstream golden(QN_REPOSITORY "/tests/data/quantize/mixes.txt");
  ASSERT_TRUE(golden);
  const ImportanceMatrix some{{{"none", {{1.0f}, {1.0f}}}}, {}, 1, 1};
  Checkpoint model;
  ModelLine shape;
  std::string line, model_line;
  int compared = 0;
  while (std::getline(golden, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("model ")) {
      model_line = line;
      shape = read_model(line);
      model = make_model(shape);
      continue;
    }
    const std::size_t colon = line.find(": ");
    std::istringstream head(line.substr(0, colon));
    std::string mix, when;
    head >> mix >> when;
    const std::string expected = line.substr(colon + 2);
    for (const bool weighted : {false, true}) {
      if (when != "either" && weighted != (when == "weighted")) continue;
      const auto found = find_mix(mix);
      ASSERT_TRUE(found) << found.error().message;
      QuantizeOptions options{.mix = *found};
      if (weighted) options.importance = &some;
      const auto plan = plan_quantize(model, options, "out.gguf");
      ASSERT_TRUE(plan) << plan.error().message;
      EXPECT_EQ(describe(*plan, shape.layers), expected) << model_line << "\n" << mix << (weighted ? " weighted" : "");
      ++compared;
    }
  }
  EXPECT_GT(compared, 1000);
}

TEST(QuantizeMix, names_are_taken_in_any_case_and_as_numbers) {
  EXPECT_EQ((*find_mix("q4_k_m"))->name, "Q4_K_M");
  EXPECT_EQ((*find_mix("Q4_K"))->name, "Q4_K_M");
  EXPECT_EQ((*find_mix("15"))->name, "Q4_K_M");
  EXPECT_EQ((*find_mix("0"))->name, "F32");
  EXPECT_EQ((*find_mix("copy"))->name, "COPY");
  EXPECT_FALSE(find_mix("-1"));
  EXPECT_FALSE(find_mix(""));
  EXPECT_FALSE(find_mix("Q4_K_X"));
}

TEST(QuantizeMix, every_rule_names_mixes_and_formats_that_exist) {
  for (const Mix& mix : mixes()) {
    EXPECT_TRUE(mix.base.empty() || quant::find_format(mix.base) != nullptr) << mix.name;
  }
  for (const Rule& rule : rules()) {
    EXPECT_NE(quant::find_format(rule.format), nullptr) << rule.format;
    std::istringstream names{std::string(rule.mixes)};
    for (std::string name; names >> name;) EXPECT_TRUE(find_mix(name)) << name;
  }
}

}  // namespace
}  // namespace qn::file
