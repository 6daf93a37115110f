#include "cli/inspect/facts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/checked.h"
#include "model/weights.h"

namespace qn::cli {
namespace {

std::vector<TypeFacts> facts_by_type(const file::Checkpoint& checkpoint) {
  std::map<std::string_view, TypeFacts> by_type;
  for (const file::TensorEntry& tensor : checkpoint.tensors) {
    TypeFacts& type = by_type[tensor.format->name];
    type.type = tensor.format->name;
    ++type.tensors;
    type.parameters += static_cast<std::uint64_t>(tensor.rows() * tensor.columns());
    type.bytes += tensor.bytes.size();
  }
  std::vector<TypeFacts> types;
  for (const auto& [name, type] : by_type) types.push_back(type);
  std::stable_sort(types.begin(), types.end(), [](const TypeFacts& a, const TypeFacts& b) { return a.bytes > b.bytes; });
  return types;
}

// What running the model would take, if it can be run at all.
Result<std::pair<model::Sizes, model::MemoryPlan>> plan_model(const file::Checkpoint& checkpoint) {
  QN_TRY(model::Description description, model::describe(checkpoint));
  QN_OK(model::bind_tensors(*description.architecture, description.sizes, checkpoint));
  const quant::Format* half = quant::find_format("F16");
  model::ForwardOptions options{.kv = {half, half}};
  options.pages = description.sizes.context / options.kv.page_tokens + (description.sizes.context % options.kv.page_tokens != 0);
  QN_TRY(const model::MemoryPlan plan, model::plan_memory(checkpoint, description, options));
  return std::pair(std::move(description.sizes), plan);
}

}  // namespace

Result<ModelFacts> gather_facts(const file::Checkpoint& checkpoint, std::string source) {
  ModelFacts facts;
  facts.source = std::move(source);
  facts.parts = std::max<std::size_t>(checkpoint.maps.size(), 1);
  facts.file_bytes = checkpoint.file_bytes;
  QN_TRY(const auto architecture, checkpoint.metadata.text("general.architecture"));
  QN_TRY(const auto name, checkpoint.metadata.text("general.name"));
  QN_TRY(const auto template_text, checkpoint.metadata.text("tokenizer.chat_template"));
  facts.architecture = architecture.value_or("");
  facts.name = name.value_or("");
  facts.template_text = template_text.value_or("");
  facts.types = facts_by_type(checkpoint);
  for (const TypeFacts& type : facts.types) facts.parameters += type.parameters;
  auto planned = plan_model(checkpoint);
  if (!planned) {
    facts.why_not = planned.error().message;
    return facts;
  }
  facts.sizes = std::move(planned->first);
  facts.memory = planned->second;
  if (const auto vocab = file::read_vocab(checkpoint.metadata); !vocab) facts.why_not = vocab.error().message;
  return facts;
}

std::string type_name(const file::MetaValue& value) {
  static constexpr std::string_view names[] = {"u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "text", "u64", "i64", "f64"};
  static_assert(2 * std::size(names) == std::variant_size_v<file::MetaValue>);
  if (value.index() < std::size(names)) return std::string(names[value.index()]);
  return fmt::format("[{}]", names[value.index() - std::size(names)]);
}

}  // namespace qn::cli
