#include "model/importance_collector.h"

#include <cmath>

namespace qn::model {

void ImportanceCollector::product(std::string_view weight, Tensor x) {
  const bool wanted = weight.starts_with("blk.") || (which_ == CollectOf::layers_and_output && weight == "output.weight");
  if (!wanted) return;
  auto found = sums_.find(weight);
  if (found == sums_.end()) found = sums_.emplace(weight, Sums{std::vector<double>(static_cast<std::size_t>(x.columns)), 0}).first;
  Sums& sums = found->second;
  double check = 0;
  for (int row = 0; row < x.rows; ++row) {
    const float* values = x.row(row);
    for (std::size_t column = 0; column < sums.squares.size(); ++column)
      sums.squares[column] += static_cast<double>(values[column]) * static_cast<double>(values[column]);
  }
  for (const double sum : sums.squares) check += sum;
  if (!std::isfinite(check) && damaged_.empty()) damaged_ = weight;
  sums.tokens += x.rows;
}

file::ImportanceMatrix ImportanceCollector::matrix() const {
  file::ImportanceMatrix matrix;
  for (const auto& [name, sums] : sums_)
    matrix.entries.emplace(name, file::ImportanceMatrix::Entry{std::vector<float>(sums.squares.begin(), sums.squares.end()),
                                                               {static_cast<float>(sums.tokens)}});
  return matrix;
}

}  // namespace qn::model
