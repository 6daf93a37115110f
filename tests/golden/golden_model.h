// A golden file (tests/golden/data, made by tools/golden) as a checkpoint in memory, and what Transformers answered.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "file/checkpoint.h"

namespace qn::golden {

struct Case {
  std::vector<TokenId> prompt;
  std::map<int, std::vector<float>> logits;  // by position of the prompt
  std::vector<TokenId> greedy;
};

struct GoldenModel {
  std::shared_ptr<const file::Checkpoint> checkpoint;
  Case expected;
  std::vector<std::vector<float>> storage;  // what the checkpoint's tensors point to
};

std::vector<std::string> model_names();  // every tests/golden/data/*.json that describes a model
GoldenModel load_model(const std::string& name);
std::vector<std::pair<std::string, Case>> load_stories();  // text and ids

}  // namespace qn::golden
