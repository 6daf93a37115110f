// ImportanceCollector: watches a model read a text, and sums the squares of what goes into each matrix of its layers.
// Invariant: the sums depend on the tokens and their order, not on how they were cut into steps.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "backend/watched_backend.h"
#include "file/quantize/importance.h"

namespace qn::model {

enum class CollectOf { layers, layers_and_output };

class ImportanceCollector final : public ProductWatcher {
 public:
  explicit ImportanceCollector(CollectOf which) : which_(which) {}
  void product(std::string_view weight, Tensor x) override;

  file::ImportanceMatrix matrix() const;  // what was seen so far; without dataset and chunks
  // The first weight that met an activation which is no number, or empty.
  const std::string& damaged() const { return damaged_; }

 private:
  struct Sums {
    std::vector<double> squares;
    std::int64_t tokens = 0;
  };
  CollectOf which_;
  std::map<std::string, Sums, std::less<>> sums_;
  std::string damaged_;
};

}  // namespace qn::model
