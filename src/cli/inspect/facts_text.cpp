#include <cmath>
#include <type_traits>

#include "base/utf8.h"
#include "cli/inspect/facts.h"
#include "cli/terminal/safe_text.h"
#include "cli/units.h"

namespace qn::cli {
namespace {

constexpr std::size_t value_bytes = 72;    // of one value, clipped past it
constexpr std::size_t element_bytes = 24;  // of one text in an array
constexpr std::size_t elements_shown = 8;

template <class T>
std::string show(const T& value, std::size_t max_bytes) {
  if constexpr (std::is_same_v<T, std::string>)
    return quoted(value, max_bytes);
  else
    return fmt::format("{}", value);
}

template <class T>
std::string show(const file::ArrayOf<T>& array, std::size_t) {
  const std::size_t shown = std::min(array.values.size(), elements_shown);
  std::string out = "[";
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : " ") + show(static_cast<T>(array.values[i]), element_bytes);
  if (shown < array.values.size()) out += fmt::format(" ...+{} more", array.values.size() - shown);
  return out + "]";
}

class Page {
 public:
  void section(std::string_view title) { text_ += fmt::format("{}  {}\n", text_.empty() ? "" : "\n", title); }
  void row(std::string_view label, std::string_view value) { text_ += fmt::format("    {:<20}  {}\n", label, value); }
  void line(std::string_view text) { text_ += fmt::format("    {}\n", text); }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

void add_model(Page& page, const ModelFacts& facts) {
  page.section("Model");
  page.row("file", quoted(facts.source, 256));
  page.row("size",
           facts.parts == 1 ? disk_size(facts.file_bytes) : fmt::format("{} in {} parts", disk_size(facts.file_bytes), facts.parts));
  page.row("architecture", facts.architecture.empty() ? "not said" : quoted(facts.architecture));
  if (!facts.name.empty()) page.row("name", quoted(facts.name));
  page.row("parameters", count_size(facts.parameters));
  if (!facts.sizes) return;
  const model::Sizes& sizes = *facts.sizes;
  page.row("context length", fmt::format("{}", sizes.context));
  page.row("embedding length", fmt::format("{}", sizes.width));
  page.row("layers", fmt::format("{}", sizes.layers));
  page.row("attention heads", fmt::format("{} over {} KV heads of {}", sizes.heads, sizes.kv_heads, sizes.head));
  page.row("vocabulary", fmt::format("{} tokens", sizes.vocab));
}

void add_memory(Page& page, const ModelFacts& facts) {
  page.section("Memory");
  if (facts.sizes) {
    page.row("weights", memory_size(facts.memory.weight_bytes));
    page.row("KV cache", fmt::format("{} a token in f16, {} for the whole context", memory_size(facts.memory.kv_bytes_per_token),
                                     memory_size(facts.memory.kv_bytes)));
    page.row("working buffers", memory_size(facts.memory.working_bytes));
    page.row("together", memory_size(facts.memory.total_bytes()));
  }
  if (!facts.why_not.empty()) page.row("does not run here", facts.why_not);
}

void add_tensors(Page& page, const file::Checkpoint& checkpoint) {
  page.section("Tensors");
  for (const file::TensorEntry& tensor : checkpoint.tensors) {
    const std::string shape = show(file::ArrayOf<std::int64_t>{tensor.shape}, 0);
    page.line(fmt::format("{:<40}  {:<8}  {:<20}  {}", quoted(tensor.name), tensor.format->name, shape, memory_size(tensor.bytes.size())));
  }
}

}  // namespace

std::string facts_as_text(const ModelFacts& facts, const file::Checkpoint& checkpoint, TensorList list) {
  Page page;
  add_model(page, facts);
  page.section("Weights");
  for (const TypeFacts& type : facts.types)
    page.row(type.type, fmt::format("{} in {} tensors, {}", count_size(type.parameters), type.tensors, memory_size(type.bytes)));
  add_memory(page, facts);
  page.section("Metadata");
  for (const auto& [key, value] : checkpoint.metadata.entries()) {
    const std::string shown = std::visit([](const auto& held) { return show(held, value_bytes); }, value);
    page.line(fmt::format("{:<40}  {:<6}  {}", without_controls(utf8::replace_invalid(key)), type_name(value), shown));
  }
  if (list == TensorList::shown) add_tensors(page, checkpoint);
  std::string text = std::move(page).text();
  if (!facts.template_text.empty()) text += "\n  Chat template\n" + without_controls(utf8::replace_invalid(facts.template_text)) + "\n";
  return text;
}

}  // namespace qn::cli
