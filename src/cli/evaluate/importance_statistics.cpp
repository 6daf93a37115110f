#include "cli/evaluate/importance_statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/format.h"

namespace qn::cli {
namespace {

struct Row {
  std::string weight;
  std::size_t inputs = 0;
  double sum = 0, least = 0, most = 0, mean = 0, deviation = 0;
  double evenness = 0;  // entropy of the shares, 1 where all inputs are used alike
};

Row describe(const std::string& weight, const std::vector<float>& means) {
  Row row{.weight = weight, .inputs = means.size()};
  const auto [least, most] = std::minmax_element(means.begin(), means.end());
  row.least = *least;
  row.most = *most;
  for (const float value : means) row.sum += static_cast<double>(value);
  const double count = static_cast<double>(means.size());
  row.mean = row.sum / count;
  double squares = 0, entropy = 0;
  for (const float value : means) {
    squares += (static_cast<double>(value) - row.mean) * (static_cast<double>(value) - row.mean);
    const double share = row.sum > 0 ? static_cast<double>(value) / row.sum : 0;
    if (share > 0) entropy -= share * std::log2(share);
  }
  row.deviation = std::sqrt(squares / count);
  row.evenness = count > 1 ? entropy / std::log2(count) : 1;
  return row;
}

}  // namespace

std::string importance_statistics(const file::ImportanceMatrix& matrix) {
  std::vector<Row> rows;
  for (const auto& [weight, entry] : matrix.entries) rows.push_back(describe(weight, entry.means()));
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.sum > b.sum; });
  std::string out = fmt::format("{:<32} {:>8} {:>12} {:>12} {:>12} {:>12} {:>12} {:>9}\n", "weight", "inputs", "sum", "mean", "least",
                                "most", "deviation", "evenness");
  for (const Row& row : rows)
    out += fmt::format("{:<32} {:>8} {:>12.4f} {:>12.6f} {:>12.6f} {:>12.4f} {:>12.6f} {:>9.4f}\n", quoted(row.weight, 256), row.inputs,
                       row.sum, row.mean, row.least, row.most, row.deviation, row.evenness);
  return out;
}

}  // namespace qn::cli
