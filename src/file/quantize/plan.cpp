#include "file/quantize/plan.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <regex>
#include <set>

#include "file/part.h"
#include "file/quantize/chooser.h"

namespace qn::file {
namespace {

constexpr std::uint32_t quantization_version = 2;  // of the block layouts, as ggml counts them
constexpr std::string_view version_key = "general.quantization_version", file_type_key = "general.file_type";

// Of no use without an importance matrix, whoever writes them; Q2_K only where a mix gives it to everything.
constexpr std::string_view measured_formats[] = {"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS"};

bool needs_importance(const quant::Format& format, const Mix& mix) {
  const bool listed = std::find(std::begin(measured_formats), std::end(measured_formats), format.name) != std::end(measured_formats);
  return listed || format.needs_importance || (format.name == "Q2_K" && mix.name == "Q2_K_S");
}

bool is_embedding_or_output(std::string_view name) {
  const Role role = role_of(name);
  return role == Role::token_embedding || role == Role::output;
}

using LayerNumbers = std::map<int, int>;  // of the layers that stay: the number they had, the number they get

Result<LayerNumbers> number_layers(const Checkpoint& model, const std::vector<int>& pruned) {
  std::set<int> layers;
  for (const TensorEntry& tensor : model.tensors)
    if (const int layer = layer_of(tensor.name); layer >= 0) layers.insert(layer);
  for (const int layer : pruned)
    if (layers.erase(layer) == 0)
      return fail(Code::bad_input, "layer {}: the model has none of this number; give numbers from 0 to {}", layer,
                  layers.empty() ? 0 : *layers.rbegin());
  if (layers.empty() && !pruned.empty()) return fail(Code::bad_input, "layers: none would be left; leave some in");
  LayerNumbers numbers;
  for (const int layer : layers) numbers.emplace(layer, pruned.empty() ? layer : static_cast<int>(numbers.size()));
  return numbers;
}

std::string renamed(const std::string& name, int from, int to) {
  return from == to ? name : fmt::format("blk.{}{}", to, name.substr(name.find('.', 4)));
}

class Planner {
 public:
  Planner(const QuantizeOptions& options, ModelFacts facts)
      : options_(options), base_(quant::find_format(options.mix->base)), is_tied_(facts.tied) {
    if (base_ != nullptr) chooser_.emplace(*options.mix, std::move(facts));
  }

  Status compile_overrides() {
    for (const FormatOverride& row : options_.overrides) {
      try {
        patterns_.emplace_back(std::regex(row.pattern), row.format);
      } catch (const std::regex_error& error) {
        return fail(Code::bad_input, "pattern {}: not a regular expression ({}); see --help", quoted(row.pattern), error.what());
      }
    }
    return {};
  }

  // To be asked in the order of layers.
  Result<OutputTensor> plan(const TensorEntry& tensor, std::string name, QuantizePlan& plan) {
    OutputTensor out{&tensor, std::move(name), tensor.format, {}};
    if (base_ == nullptr || !may_be_quantized(tensor)) return out;
    if (options_.leave_output && tensor.name == "output.weight") return out;
    out.format = choose(tensor, out.name, plan);
    if (out.format == tensor.format) return out;
    if (tensor.columns() % out.format->block_weights != 0)
      return fail(Code::bad_input, "tensor {}: its rows of {} weights are no whole number of {} blocks of {}; choose another type",
                  quoted(tensor.name), tensor.columns(), out.format->name, out.format->block_weights);
    const bool is_whole = tensor.format->kind == quant::Kind::plain || tensor.format->name == "Q8_0";
    if (!is_whole && !options_.requantize)
      return fail(Code::bad_input, "tensor {}: it is {} already, and would lose more; start from F16 or BF16, or give --allow-requantize",
                  quoted(tensor.name), tensor.format->name);
    if (out.format->kind == quant::Kind::quantized) QN_OK(find_importance(tensor, out, plan));
    return out;
  }

 private:
  const quant::Format* choose(const TensorEntry& tensor, const std::string& name, QuantizePlan& plan) {
    const Role role = role_of(name);
    if (options_.token_embedding != nullptr && role == Role::token_embedding) return options_.token_embedding;
    if (options_.output != nullptr && role == Role::output) return options_.output;
    if (base_->kind == quant::Kind::plain) return base_;
    const quant::Format* wanted = nullptr;
    for (const auto& [pattern, format] : patterns_)
      if (wanted == nullptr && std::regex_search(name, pattern)) wanted = format;
    const bool is_output = is_tied_ && role == Role::token_embedding && options_.output != nullptr;
    if (wanted == nullptr && !options_.pure && is_output) wanted = options_.output;
    if (wanted == nullptr)
      wanted = options_.pure ? base_ : chooser_->choose(name, tensor.columns(), tensor.shape.size() > 2 && tensor.shape[2] > 1);
    const quant::Format* given = fitting_format(wanted, tensor.columns());
    if (given != wanted) plan.fallbacks.push_back({name, wanted, given});
    return given;
  }

  Status find_importance(const TensorEntry& tensor, OutputTensor& out, QuantizePlan& plan) {
    const bool needed = needs_importance(*out.format, *options_.mix) && !is_embedding_or_output(tensor.name);
    const ImportanceMatrix* matrix = options_.importance;
    const auto found = matrix == nullptr ? decltype(matrix->entries.begin()){} : matrix->entries.find(tensor.name);
    if (matrix == nullptr || found == matrix->entries.end()) {
      if (needed) plan.unmeasured.push_back(tensor.name);
      return {};
    }
    const std::int64_t rows_of_one = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
    const auto wanted = static_cast<std::size_t>(tensor.columns() * (tensor.rows() / rows_of_one));
    if (found->second.sums.size() != wanted) {
      if (is_embedding_or_output(tensor.name)) return {};
      return fail(Code::bad_input, "tensor {}: the importance matrix has {} values for it, {} needed; it was made for another model",
                  quoted(tensor.name), found->second.sums.size(), wanted);
    }
    out.importance = plan.importance.emplace(tensor.name, found->second.means()).first->second;
    return {};
  }

  const QuantizeOptions& options_;
  const quant::Format* base_;  // null: every tensor stays as it is
  bool is_tied_;
  std::optional<Chooser> chooser_;
  std::vector<std::pair<std::regex, const quant::Format*>> patterns_;
};

Result<Metadata> plan_metadata(const Checkpoint& model, const QuantizeOptions& options, std::size_t layers) {
  std::vector<std::pair<std::string, MetaValue>> changes;
  if (options.mix->file_type >= 0) {
    changes.emplace_back(version_key, quantization_version);
    changes.emplace_back(file_type_key, static_cast<std::uint32_t>(options.mix->file_type));
  }
  if (!options.pruned_layers.empty()) {
    QN_TRY(const auto architecture, model.metadata.text("general.architecture"));
    changes.emplace_back(architecture.value_or("") + ".block_count", static_cast<std::uint32_t>(layers));
  }
  changes.insert(changes.end(), options.metadata.begin(), options.metadata.end());
  return with_changes(without_part_keys(model.metadata), changes);
}

}  // namespace

std::uint64_t QuantizePlan::source_bytes() const {
  std::uint64_t sum = 0;
  for (const OutputFile& file : files)
    for (const OutputTensor& tensor : file.tensors) sum += tensor.source->bytes.size();
  return sum;
}

std::uint64_t QuantizePlan::bytes() const {
  std::uint64_t sum = 0;
  for (const OutputFile& file : files)
    for (const OutputTensor& tensor : file.tensors) sum += tensor.bytes();
  return sum;
}

std::uint64_t QuantizePlan::weights() const {
  std::uint64_t sum = 0;
  for (const OutputFile& file : files)
    for (const OutputTensor& tensor : file.tensors) sum += static_cast<std::uint64_t>(tensor.source->rows() * tensor.source->columns());
  return sum;
}

Result<QuantizePlan> plan_quantize(const Checkpoint& model, const QuantizeOptions& options, const std::filesystem::path& out) {
  QN_TRY(ModelFacts facts, ModelFacts::of(model));
  QN_TRY(const LayerNumbers layers, number_layers(model, options.pruned_layers));
  facts.weighted = options.importance != nullptr;
  Planner planner(options, facts);
  QN_OK(planner.compile_overrides());

  // Rules count tensors in the order of layers, files list them in any order.
  std::vector<std::size_t> order(model.tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int layer_a = layer_of(model.tensors[a].name), layer_b = layer_of(model.tensors[b].name);
    return layer_a != layer_b ? layer_a < layer_b : model.tensors[a].name < model.tensors[b].name;
  });
  QuantizePlan plan;
  std::vector<std::optional<OutputTensor>> tensors(model.tensors.size());
  for (const std::size_t index : order) {
    const TensorEntry& tensor = model.tensors[index];
    const int layer = layer_of(tensor.name);
    if (layer >= 0 && !layers.contains(layer)) continue;
    QN_TRY(tensors[index], planner.plan(tensor, layer < 0 ? tensor.name : renamed(tensor.name, layer, layers.at(layer)), plan));
  }

  QN_TRY(Metadata metadata, plan_metadata(model, options, layers.size()));
  if (!options.keep_split || model.maps.size() < 2) {
    plan.files.push_back({out, std::move(metadata), {}});
    for (auto& tensor : tensors)
      if (tensor) plan.files[0].tensors.push_back(*std::move(tensor));
    return plan;
  }
  std::vector<std::vector<OutputTensor>> parts(model.maps.size());
  for (auto& tensor : tensors)
    if (tensor) parts[part_of(model, *tensor->source)].push_back(*std::move(tensor));
  plan.files = name_parts(out, metadata, std::move(parts));
  return plan;
}

}  // namespace qn::file
