// Host: brings a model into memory, after checking that it fits, and keeps what is needed to talk to it.
// Invariant: nothing of a model's size is allocated before the plan has been held against the memory there is.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "backend/backend.h"
#include "base/result.h"
#include "engine/engine.h"
#include "file/checkpoint.h"
#include "serve/parameters.h"
#include "text/template/template.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::serve {

struct ModelImage {  // a model file in memory that outlives the model
  std::string name;
  std::span<const std::byte> bytes;
};
using ModelSource = std::variant<std::filesystem::path, ModelImage>;

struct LoadOptions {
  std::optional<int> context_tokens;            // the window; none: the model's own, or what fits
  const quant::Format* key_format = nullptr;    // of the cache; null: F16
  const quant::Format* value_format = nullptr;
  std::optional<std::string> chat_template;     // Jinja source, in place of the model's
};

// How a chat becomes a prompt.
enum class PromptForm {
  own_template,  // the model's, or the one given when loading
  chatml,        // none in the file, but the vocabulary has ChatML's marks
  plain_text,    // a base model: the messages' texts, one after the other
};

struct MemoryPlan {
  std::uint64_t weight_bytes = 0;
  std::uint64_t cache_bytes = 0;    // keys and values of the whole window
  std::uint64_t working_bytes = 0;  // activations, scratch, logits
  std::uint64_t available_bytes = 0;
  int context_tokens = 0;           // what the plan is for

  std::uint64_t needed_bytes() const { return weight_bytes + cache_bytes + working_bytes; }
};

class LoadedModel {
 public:
  std::string name;  // as the user gave it
  std::string template_source;  // empty if there is none
  PromptForm form = PromptForm::plain_text;
  MemoryPlan plan;
  Parameters recommended;
  std::chrono::nanoseconds load_time{0};

  std::shared_ptr<const file::Checkpoint> checkpoint;
  std::shared_ptr<const model::Model> model;
  std::optional<text::Tokenizer> tokenizer;  // always there once loaded
  std::optional<text::Template> chat_template;
  std::unique_ptr<engine::Engine> engine;    // last: it stops before what it uses goes
};

// What loading would take, without loading.
//   errors   those of describe; unsupported: a cache format that does not fit the model
Result<MemoryPlan> plan_memory(const file::Checkpoint& checkpoint, const LoadOptions& options, Backend& device);

//   device   borrowed; outlives the model
//   errors   not_found, bad_input: the file; out_of_memory: with the numbers; unsupported
Result<std::unique_ptr<LoadedModel>> load_model(const ModelSource& source, const LoadOptions& options, Backend& device);

}  // namespace qn::serve
