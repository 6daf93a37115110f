// Host: brings a model into memory, after checking that it fits, and keeps what is needed to talk to it.
// Invariant: nothing of a model's size is allocated before the plan has been held against the memory there is.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "file/checkpoint.h"
#include "model/model.h"
#include "model/plan.h"
#include "serve/grammar_cache.h"
#include "serve/parameters.h"
#include "text/chat/chat.h"
#include "text/chat/dialect.h"
#include "text/grammar/token_vocabulary.h"
#include "text/template/template.h"
#include "text/tokenizer/tokenizer.h"

namespace qn::engine {
class Engine;
}

namespace qn::serve {

class Prefetch;

struct ModelImage {  // a model file in memory that outlives the model
  std::string name;
  std::span<const std::byte> bytes;
};
using ModelSource = std::variant<std::filesystem::path, ModelImage>;

enum class Audience { chat, server };            // whose flags an error about memory names; a server's words are vLLM's
enum class BeyondTraining { allowed, refused };  // a window longer than the model was made for

enum class Recommended { used, ignored };  // what a model's file recommends for sampling

// What a reply is like where its request does not say. It goes before what the model's file recommends.
struct ReplyDefaults {
  Parameters parameters;
  Recommended recommended = Recommended::used;
  json::Object template_arguments;  // a request's own go before them
  std::optional<bool> think;
  std::optional<int> thinking_budget;  // tokens
};

struct LoadOptions {
  std::optional<int> context_tokens;       // the window; none: the model's own, or what fits
  std::optional<int> most_context_tokens;  // where context_tokens is none
  int max_sequences = 1;                   // that run together
  int max_batched_tokens = 512;            // of a step
  int page_tokens = 32;                    // of the cache
  int max_waiting = 512;                   // generations accepted and not started; more are refused
  std::optional<std::uint64_t> kv_bytes;   // for pages; none: see load_plan.h
  Audience audience = Audience::chat;
  BeyondTraining beyond_training = BeyondTraining::allowed;
  const quant::Format* key_format = nullptr;  // of the cache; null: F16
  const quant::Format* value_format = nullptr;
  std::optional<std::string> chat_template;  // Jinja source, in place of the model's
  Residence residence = Residence::mapped;   // of the file's bytes
  bool lock = false;                         // keep the weights from being paged out
  ReplyDefaults defaults = {};
};

// How a chat becomes a prompt.
enum class PromptForm {
  own_template,  // the model's, or the one given when loading
  chatml,        // none in the file, but the vocabulary has ChatML's marks
  plain_text,    // a base model: the messages' texts, one after the other
};

struct LoadedModel {
  LoadedModel();
  ~LoadedModel();
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  std::string name;             // as the user gave it
  std::string template_source;  // empty if there is none
  PromptForm form = PromptForm::plain_text;
  model::MemoryPlan plan;
  model::KvOptions kv;     // formats of the cache
  int context_tokens = 0;  // the window in use
  int max_sequences = 0;
  Parameters recommended;  // by the model's file and the defaults, for what a request does not say
  ReplyDefaults defaults;  // as given when it was loaded
  std::chrono::nanoseconds load_time{0};

  std::shared_ptr<const file::Checkpoint> checkpoint;
  std::shared_ptr<const model::Model> model;
  std::unique_ptr<Prefetch> prefetch;        // null where weights are in memory already
  std::optional<text::Tokenizer> tokenizer;  // always there once loaded
  std::optional<text::Template> chat_template;
  std::optional<Error> template_error;  // why the model's template cannot be used; only a chat minds
  text::Dialect dialect;                // how it writes thinking and tool calls
  text::TemplateCapabilities capabilities;
  SteadyClock clock;
  // The tokens as constraints see them; made when first asked for. Any thread.
  text::SharedVocabulary grammar_vocabulary();
  GrammarCache grammars{std::size_t{64} << 20};

  text::ChatTokens chat_tokens() const;  // what templates call bos_token and eos_token

  std::unique_ptr<engine::Engine> engine;  // last: it stops before what it uses goes

 private:
  std::once_flag has_vocabulary_;
  text::SharedVocabulary vocabulary_;
};

//   device   borrowed; outlives the model
//   errors   not_found, bad_input: the file; out_of_memory: with the numbers, or the limit on locked memory; unsupported
Result<std::unique_ptr<LoadedModel>> load_model(const ModelSource& source, const LoadOptions& options, Backend& device);

// The same without an engine, for callers that compute logits themselves.
Result<std::unique_ptr<LoadedModel>> load_without_engine(const ModelSource& source, const LoadOptions& options, Backend& device);

}  // namespace qn::serve
