// ModelFlags: the flags of `quern serve` that concern models; declare() gives them to the parser, read() turns them and the environment
// into what the server offers, and how.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/model_loader.h"
#include "cli/sampling_flags.h"
#include "serve/model_host.h"

namespace qn::cli {

struct ModelPlan {
  DeviceChoice devices;
  serve::HostOptions host;  // without its device
  std::vector<serve::ServedModel> models;
  std::vector<std::string> preload;  // names: loaded before the server is ready
  int draft_tokens = 0;
};

class ModelFlags {
 public:
  void declare(CLI::App& app);

  // Notes say which flags have no effect.
  //   errors   bad_input: the flag, the value, and what it takes; not_found, unsupported: a model
  Result<ModelPlan> read(Io& io) const;

  static std::vector<HelpRow> environment();

 private:
  Result<serve::LoadOptions> read_load_options(Io& io) const;
  Status read_memory_options(serve::LoadOptions& options) const;
  Status read_reply_defaults(serve::ReplyDefaults& defaults, Io& io) const;
  Status name_models(ModelPlan& plan) const;

  std::vector<std::string> words_, folders_, aliases_, served_names_, preload_;
  std::string model_, keep_alive_, max_loaded_, max_queue_, memory_;
  std::string context_, sequences_, batched_tokens_, page_tokens_, kv_memory_, kv_type_, key_type_, value_type_;
  std::string template_file_, template_text_, template_arguments_, think_, thinking_budget_, generation_config_ = "auto", parameters_;
  std::string gpu_layers_, speculative_;
  std::vector<int> parallel_;
  ThreadChoice threads_;
  LoadingChoice loading_;
  SamplingFlags sampling_;
  bool any_name_ = false;
};

// "5m", "1h30m", "300" (seconds), "-1" (for ever), "0" (at once).
//   errors   bad_input: the flag and the value
Result<serve::KeepAlive> read_keep_alive(std::string_view flag, std::string_view text);

}  // namespace qn::cli
