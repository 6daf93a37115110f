#include "serve/model_facts.h"

#include <algorithm>
#include <array>

#include "file/quantize/mix.h"
#include "serve/session.h"
#include "text/template/template.h"

namespace qn::serve {
namespace {

std::string quantization_of(const file::Checkpoint& checkpoint) {
  if (const auto type = checkpoint.metadata.integer("general.file_type"); type && *type)
    for (const file::Mix& mix : file::mixes())
      if (mix.file_type == **type) return std::string(mix.name);
  std::map<std::string_view, std::uint64_t> bytes;
  for (const file::TensorEntry& tensor : checkpoint.tensors) bytes[tensor.format->name] += tensor.bytes.size();
  const auto most = std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == bytes.end() ? "unknown" : std::string(most->first);
}

// A fact that is missing or of another type is told as if it were not there: a listing shows what it can.
std::string text_of(const file::Metadata& metadata, std::string_view key) {
  const auto found = metadata.text(key);
  return found && *found ? **found : "";
}
std::int64_t number_of(const file::Metadata& metadata, std::string_view key) {
  const auto found = metadata.integer(key);
  return found && *found ? **found : 0;
}

// How families write the marks for filling in the middle: before the prefix, the suffix, and what the model writes.
constexpr std::array<std::array<std::string_view, 3>, 3> fill_marks = {{{"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                                                                        {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                                                                        {"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"}}};

int bounded(std::int64_t number) {
  return static_cast<int>(std::clamp<std::int64_t>(number, 0, 1 << 30));
}

void read_chat(const file::Metadata& metadata, const ServedModel& model, ModelFacts& facts) {
  const auto tokens = metadata.texts("tokenizer.ggml.tokens");
  const std::vector<std::string> none;
  const std::vector<std::string>& all = tokens && *tokens != nullptr ? **tokens : none;
  const auto has_token = [&all](std::string_view text) { return std::find(all.begin(), all.end(), text) != all.end(); };
  facts.template_source = model.load.chat_template.value_or(text_of(metadata, "tokenizer.chat_template"));
  if (facts.template_source.empty() && has_token("<|im_start|>") && has_token("<|im_end|>")) facts.template_source = chatml_template;
  for (const auto& marks : fill_marks)
    if (facts.fill_marks.empty() && std::all_of(marks.begin(), marks.end(), has_token)) facts.fill_marks = {marks.begin(), marks.end()};
  if (facts.template_source.empty()) return;
  const auto form = text::Template::parse(facts.template_source);
  if (!form) return;
  facts.can = text::template_capabilities(*form, facts.template_source, text::find_dialect(facts.template_source, has_token), {});
}

}  // namespace

Result<file::Checkpoint> open_checkpoint(const ServedModel& model) {
  if (const auto* image = std::get_if<ModelImage>(&model.source)) return file::open_gguf(image->bytes, image->name);
  return file::open_gguf(std::get<std::filesystem::path>(model.source));
}

Result<ModelFacts> read_model_facts(const ServedModel& model) {
  QN_TRY(const file::Checkpoint checkpoint, open_checkpoint(model));
  const file::Metadata& metadata = checkpoint.metadata;
  ModelFacts facts;
  facts.architecture = text_of(metadata, "general.architecture");
  facts.base_name = text_of(metadata, "general.basename");
  if (facts.base_name.empty()) facts.base_name = text_of(metadata, "general.name");
  facts.license = text_of(metadata, "general.license");
  facts.quantization = quantization_of(checkpoint);
  for (const file::TensorEntry& tensor : checkpoint.tensors)
    facts.parameters += static_cast<std::uint64_t>(tensor.rows() * tensor.columns());
  facts.context_tokens = bounded(number_of(metadata, facts.architecture + ".context_length"));
  facts.width = bounded(number_of(metadata, facts.architecture + ".embedding_length"));
  facts.embeds = metadata.has(facts.architecture + ".pooling_type");
  facts.recommended = recommended_parameters(metadata).value_or(Parameters{});
  read_chat(metadata, model, facts);
  return facts;
}

std::string short_count(std::uint64_t parameters) {
  const auto in = [parameters](double unit, std::string_view letter, int digits) {
    const double number = static_cast<double>(parameters) / unit;
    const bool whole = parameters % static_cast<std::uint64_t>(unit) == 0;
    return fmt::format("{:.{}f}{}", number, whole ? 0 : digits, letter);
  };
  if (parameters >= 1'000'000'000) return in(1e9, "B", 1);
  if (parameters >= 1'000'000) return in(1e6, "M", 2);
  if (parameters >= 1000) return in(1e3, "K", 0);
  return std::to_string(parameters);
}

std::shared_ptr<const ModelFacts> ModelFactShelf::of(const ServedModel& model) {
  const std::string key = fmt::format("{}:{}:{}", model.name, model.size_bytes, model.modified.time_since_epoch().count());
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = facts_.find(key); found != facts_.end()) return found->second;
  }
  Result<ModelFacts> read = read_model_facts(model);  // two may read at once; both read the same
  if (!read) return nullptr;
  auto facts = std::make_shared<const ModelFacts>(*std::move(read));
  const std::lock_guard lock(mutex_);
  return facts_.emplace(key, std::move(facts)).first->second;
}

}  // namespace qn::serve
