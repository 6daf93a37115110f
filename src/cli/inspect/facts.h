// What a model file is, before anything of it is loaded: the facts that `quern inspect` prints, once as text and once as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file/checkpoint.h"
#include "model/plan.h"

namespace qn::cli {

struct TypeFacts {  // all tensors of one type
  std::string_view type;
  std::size_t tensors = 0;
  std::uint64_t parameters = 0;
  std::uint64_t bytes = 0;
};

struct ModelFacts {
  std::string source;  // as the user named it
  std::size_t parts = 1;
  std::uint64_t file_bytes = 0;
  std::string architecture, name;  // empty where the file does not say
  std::string template_text;
  std::uint64_t parameters = 0;
  std::vector<TypeFacts> types;  // largest first
  // Of a model that this program runs; otherwise `why_not` says what stands against it.
  std::optional<model::Sizes> sizes;
  model::MemoryPlan memory;  // for the whole context and one user, cache in f16
  std::string why_not;
};

//   errors   bad_input: a metadata key of another type than it must have
Result<ModelFacts> gather_facts(const file::Checkpoint& checkpoint, std::string source);

enum class TensorList { hidden, shown };

// As text for people; long values are clipped, control characters shown.
std::string facts_as_text(const ModelFacts& facts, const file::Checkpoint& checkpoint, TensorList list);
// One JSON object with all metadata and tensors, nothing clipped. Keys do not change between versions, new ones may come.
std::string facts_as_json(const ModelFacts& facts, const file::Checkpoint& checkpoint);

// "u32", "[text]": the type of a metadata value.
std::string type_name(const file::MetaValue& value);

}  // namespace qn::cli
