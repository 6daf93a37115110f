// ServerFlags: the flags of `quern serve` that concern HTTP; declare() gives them to the parser, read() turns them and the environment into
// options of the server.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "api/http/server.h"
#include "cli/arguments.h"

namespace qn::cli {

class ServerFlags {
 public:
  void declare(CLI::App& app);

  //   errors   bad_input: the flag, the value, and what it takes
  Result<api::ServerOptions> read() const;

  static std::vector<HelpRow> environment();

 private:
  std::vector<std::string> hosts_, keys_, key_files_, origins_, allowed_hosts_, limits_;
  std::string certificate_, key_, drain_ = "30s", log_format_ = "text", metric_names_ = "vllm";
  int port_ = -1;
  bool insecure_ = false, no_access_log_ = false;
};

}  // namespace qn::cli
