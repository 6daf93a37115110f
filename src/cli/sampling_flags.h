// SamplingFlags: the flags that set a reply's parameters, llama.cpp's names; each sets one parameter of serve/parameters.h.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "serve/parameters.h"

namespace qn::cli {

class SamplingFlags {
 public:
  void declare(CLI::App& app, const std::string& group);
  //   errors   bad_input: the flag, the value and its range
  Status read(serve::Parameters& parameters) const;

 private:
  std::vector<std::vector<std::string>> values_;  // by row of the table
};

// What --chat-template names: a template's text, or the one name that stands for a text.
//   errors   unsupported: the name
Result<std::string> read_template_flag(const std::string& text);
//   errors   bad_input: not a JSON object
Result<json::Object> read_template_arguments(const std::string& text);

}  // namespace qn::cli
