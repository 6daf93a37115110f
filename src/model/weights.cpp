#include "model/weights.h"

#include <unordered_set>

namespace qn::model {
namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t n : shape) text += fmt::format("{}{}", text.empty() ? "" : " x ", n);
  return text;
}

// Vectors are written as [n]; some writers add dimensions of 1.
bool has_shape(const file::TensorEntry& tensor, std::int64_t rows, std::int64_t columns) {
  return tensor.columns() == columns && tensor.rows() == rows;
}

}  // namespace

std::string tensor_name(std::string_view pattern, int layer) {
  const std::size_t at = pattern.find("{}");
  if (at == std::string_view::npos) return std::string(pattern);
  return fmt::format("{}{}{}", pattern.substr(0, at), layer, pattern.substr(at + 2));
}

Result<std::vector<BoundTensor>> bind_tensors(const Architecture& architecture, const Sizes& sizes, const file::Checkpoint& checkpoint) {
  std::vector<BoundTensor> bound;
  std::unordered_set<const file::TensorEntry*> used;
  const auto bind = [&](const TensorRow& row, int layer) -> Status {
    const std::string name = tensor_name(row.gguf, layer);
    const file::TensorEntry* tensor = checkpoint.find(name);
    if (tensor == nullptr) {
      if (row.presence == Presence::optional) return {};
      return fail(Code::bad_input, "tensor {}: missing, and {} needs it; the file is incomplete, get it again", name, architecture.name);
    }
    const int rows = resolve(row.rows, sizes), columns = resolve(row.columns, sizes);
    if (!has_shape(*tensor, rows, columns))
      return fail(Code::bad_input, "tensor {}: shape {} found, {} x {} needed by the metadata; the file is damaged", name,
                  shape_text(tensor->shape), columns, rows);
    used.insert(tensor);
    bound.push_back({&row, layer, tensor});
    return {};
  };
  for (const TensorRow& row : architecture.rows)
    if (!row.per_layer()) QN_OK(bind(row, -1));
  for (int layer = 0; layer < sizes.layers; ++layer)
    for (const TensorRow& row : architecture.rows)
      if (row.per_layer()) QN_OK(bind(row, layer));
  // A tensor that nobody reads means another model than we would compute: experts, adapters, a newer variant.
  for (const file::TensorEntry& tensor : checkpoint.tensors)
    if (!used.contains(&tensor))
      return fail(Code::unsupported, "tensor {}: not part of {} as quern computes it; this variant of the model is not supported",
                  quoted(tensor.name), architecture.name);
  return bound;
}

}  // namespace qn::model
