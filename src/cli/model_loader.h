// ModelLoader: from what a user calls a model to one in memory. It owns the device that models run on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backend/watched_backend.h"
#include "cli/io.h"
#include "cli/threads/thread_plan.h"
#include "file/checkpoint.h"
#include "serve/host.h"

namespace qn::cli {

struct DeviceChoice {
  ThreadChoice threads;
  std::string gpu_layers;  // as typed: a number, "auto", "all", or empty
};

// --mmap, --no-mmap, --mlock and --load-mode, as typed.
struct LoadingChoice {
  bool no_map = false, lock = false;
  std::string mode;
};
void declare_loading_flags(CLI::App& app, LoadingChoice& choice, const std::string& group);
//   errors   bad_input: a mode that is none
Status read_loading(const LoadingChoice& choice, serve::LoadOptions& options);

class ModelLoader {
 public:
  // Notes on `io` say where the machine has less than was asked for.
  //   errors   bad_input: a number that is none
  static Result<std::unique_ptr<ModelLoader>> make(const DeviceChoice& choice, Io& io);
  ~ModelLoader();

  enum class For {
    replies,  // with an engine
    logits,   // without: the caller computes
  };

  // Shows the watcher every product of the models that are loaded after this; it outlives them.
  void show_products(ProductWatcher& watcher);

  //   name     "quern-mini", or the path of a model file
  //   errors   not_found, and those of serve::load_model
  Result<std::unique_ptr<serve::LoadedModel>> load(const std::string& name, const serve::LoadOptions& options, For purpose = For::replies);

  Backend& device();  // that models run on
  const ThreadPlan& threads() const { return threads_; }

 private:
  explicit ModelLoader(ThreadPlan threads) : threads_(std::move(threads)) {}

  ThreadPlan threads_;
  std::unique_ptr<Backend> device_;  // made when first needed
  std::unique_ptr<Backend> watched_;
};

// "quern-mini" or the path of a model file as what loading takes.
//   errors   not_found: the model inside, where this program has none
Result<serve::ModelSource> source_of(const std::string& name);

// The metadata and tensors of "quern-mini" or of a model file, without loading it.
//   errors   not_found, and those of file::open_gguf
Result<file::Checkpoint> open_model(const std::string& name);

// What the first word of `run` means.
enum class WordKind {
  model,       // the built-in model's name, or a file that is there
  saved_chat,  // a chat that /save wrote
  missing,     // looks like a model's name or path, and is none
  words,       // the beginning of a prompt
};
WordKind classify(const std::string& word);

// "q8_0" as a format that a cache can be kept in.
//   errors   bad_input: the name and those known
Result<const quant::Format*> read_cache_format(std::string_view flag, std::string_view name);

// "q8_0" or "q8_0,f16": keys and values.
Status read_cache_formats(std::string_view flag, std::string_view names, serve::LoadOptions& options);

// "4096", "25.6k" (decimal), "4K" (binary), "2M", "2G".
//   errors   bad_input: the flag, the value and the form
Result<std::int64_t> read_count(std::string_view flag, std::string_view text);

}  // namespace qn::cli
