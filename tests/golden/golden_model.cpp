#include "golden/golden_model.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "base/json.h"
#include "base/random.h"

namespace qn::golden {
namespace {

const std::filesystem::path folder = std::filesystem::path(QN_REPOSITORY) / "tests/golden/data";

json::Object read(const std::string& name) {
  std::ifstream in(folder / (name + ".json"));
  std::stringstream text;
  text << in.rdbuf();
  auto value = json::parse(text.str());
  if (!value) throw std::runtime_error(name + ": " + value.error().message);
  return std::move(value->as_object());
}

std::vector<TokenId> ids(const json::Value& list) {
  std::vector<TokenId> out;
  for (const json::Value& id : list.as_array()) out.push_back(static_cast<TokenId>(id.as_int64()));
  return out;
}

std::vector<float> floats(const json::Value& list) {
  std::vector<float> out;
  for (const json::Value& x : list.as_array()) out.push_back(x.to_number<float>());
  return out;
}

file::MetaValue meta_value(const json::Value& value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_double()) return static_cast<float>(value.as_double());
  if (value.is_int64()) return static_cast<std::uint32_t>(value.as_int64());
  file::ArrayOf<bool> flags;
  for (const json::Value& flag : value.as_array()) flags.values.push_back(flag.as_bool());
  return flags;
}

Case read_case(const json::Object& from) {
  Case out{.prompt = ids(from.at("prompt")), .logits = {}, .greedy = ids(from.at("greedy"))};
  if (const json::Value* logits = from.if_contains("logits"))
    for (const auto& at : logits->as_object()) out.logits[std::stoi(std::string(at.key()))] = floats(at.value());
  return out;
}

}  // namespace

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json" && entry.path().stem() != "stories260K") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

GoldenModel load_model(const std::string& name) {
  const json::Object from = read(name);
  GoldenModel out;
  auto checkpoint = std::make_shared<file::Checkpoint>();
  for (const auto& entry : from.at("metadata").as_object()) checkpoint->metadata.set(std::string(entry.key()), meta_value(entry.value()));
  const auto seed = static_cast<std::uint64_t>(from.at("seed").as_int64());
  const auto add = [&](std::string tensor_name, std::vector<std::int64_t> shape, std::vector<float> values) {
    out.storage.push_back(std::move(values));
    checkpoint->tensors.push_back(
        {std::move(tensor_name), quant::find_format("F32"), std::move(shape), std::as_bytes(std::span(out.storage.back()))});
  };
  for (const json::Value& row : from.at("tensors").as_array()) {
    const json::Array& t = row.as_array();
    std::vector<std::int64_t> shape;
    std::size_t count = 1;
    for (const json::Value& n : t[1].as_array()) {
      shape.push_back(n.as_int64());
      count *= static_cast<std::size_t>(n.as_int64());
    }
    const auto stream = static_cast<std::uint32_t>(t[2].as_int64());
    const float centre = t[3].to_number<float>(), spread = t[4].to_number<float>();
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = centre + (uniform(seed, i, stream) - 0.5f) * spread;
    add(std::string(t[0].as_string()), shape, std::move(values));
  }
  for (const auto& constant : from.at("constants").as_object()) {
    std::vector<float> values = floats(constant.value());
    const auto count = static_cast<std::int64_t>(values.size());
    add(std::string(constant.key()), {count}, std::move(values));
  }
  checkpoint->index();
  out.checkpoint = std::move(checkpoint);
  out.expected = read_case(from);
  return out;
}

std::vector<std::pair<std::string, Case>> load_stories() {
  std::vector<std::pair<std::string, Case>> out;
  for (const auto& entry : read("stories260K"))
    if (std::string_view(entry.key()).starts_with("case_"))
      out.emplace_back(std::string(entry.value().as_object().at("text").as_string()), read_case(entry.value().as_object()));
  return out;
}

}  // namespace qn::golden
