// RunFlags: the flags of `quern run`, as typed; declare() gives them to the parser, read() turns them into a RunRequest.
#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/run/run_chat.h"
#include "cli/sampling_flags.h"

namespace qn::cli {

class RunFlags {
 public:
  void declare(CLI::App& app);

  // What was typed, checked and in its place. Notes say which flags have no effect.
  //   errors   bad_input: the flag, the value, and what it takes; unsupported: a flag of a part that is not there yet
  Result<RunRequest> read(Io& io);

  std::vector<std::string> words;
  std::string model, prompt_file, system, system_file, think;
  std::optional<std::string> prompt;
  std::string template_file, template_text, template_arguments;
  std::string context, kv_type, key_type, value_type, gpu_layers;
  ThreadChoice threads;
  LoadingChoice loading;
  std::vector<std::string> biases;
  bool hide_thinking = false, no_wordwrap = false, verbose = false, chat = false, single_turn = false, raw = false;
  bool unescape = false, echo = false, ignore_end_of_turn = false;

 private:
  Status read_other(Io& io) const;
  Status read_settings(ChatSettings& settings) const;
  Status read_load_options(serve::LoadOptions& options) const;

  SamplingFlags sampling_;
  std::vector<std::string> other_values_;
  std::vector<CLI::Option*> others_;  // by row of the table of other flags
};

}  // namespace qn::cli
