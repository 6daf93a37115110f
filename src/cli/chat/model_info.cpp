// What `/show info` prints of a model, in the rows that users of `ollama show` know.
#include <map>

#include "cli/chat/repl.h"

namespace qn::cli {
namespace {

// 494.03M, 7B, 8.2B, 260K: as other tools write a number of parameters.
std::string short_count(std::int64_t count) {
  struct Unit {
    std::int64_t size;
    std::string_view letter;
    int decimals;
  };
  constexpr Unit units[] = {{1'000'000'000, "B", 1}, {1'000'000, "M", 2}, {1'000, "K", 0}};
  for (const Unit& unit : units) {
    if (count < unit.size) continue;
    std::string text = fmt::format("{:.{}f}", static_cast<double>(count) / static_cast<double>(unit.size), unit.decimals);
    if (text.find('.') != std::string::npos) text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text + std::string(unit.letter);
  }
  return fmt::format("{}", count);
}

}  // namespace

std::string describe_model(const serve::LoadedModel& model) {
  std::int64_t weights = 0;
  std::map<std::string_view, std::size_t> bytes_by_format;
  for (const file::TensorEntry& tensor : model.checkpoint->tensors) {
    weights += tensor.rows() * tensor.columns();
    bytes_by_format[tensor.format->name] += tensor.bytes.size();
  }
  std::string_view most;
  for (const auto& [name, bytes] : bytes_by_format)
    if (most.empty() || bytes > bytes_by_format[most]) most = name;
  const model::Sizes& sizes = model.model->sizes();
  const std::pair<std::string_view, std::string> rows[] = {
      {"architecture", sizes.architecture},
      {"parameters", short_count(weights)},
      {"context length", fmt::format("{}", sizes.context)},
      {"embedding length", fmt::format("{}", sizes.width)},
      {"quantization", std::string(most)},
      {"window in use", fmt::format("{}", model.context_tokens)},
  };
  std::string text = "  Model\n";
  for (const auto& [label, value] : rows) text += fmt::format("    {:<20}{}\n", label, value);
  return text;
}

}  // namespace qn::cli
