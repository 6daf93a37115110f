// What `quern run` does once its flags are read: find the model, load it, and answer once or chat.
#pragma once

#include <string>

#include "cli/chat/settings.h"
#include "cli/io.h"
#include "cli/model_loader.h"

namespace qn::cli {

struct RunRequest {
  enum class Form {
    answer,            // the prompt once; without one, a chat at the terminal
    chat_from_prompt,  // a chat whose first message is the prompt
    raw,               // the prompt continued as plain text
  };
  std::string model;                 // empty: the built-in one
  bool model_is_first_word = false;  // so it may turn out to be the beginning of the prompt
  std::string prompt;
  Form form = Form::answer;
  bool unescape = false;
  bool echo = false;
  ChatSettings settings;
  serve::LoadOptions load;
  DeviceChoice devices;
};

//   returns  the exit code
int run_chat(RunRequest request, Io& io);

// The text of a file that a flag names.
//   errors   those of read_small_file, with the flag
Result<std::string> read_text_file(std::string_view flag, const std::string& path);

// \n, \r, \t, \', \", \\ and \xHH become what they stand for; anything else stays.
std::string unescaped(std::string_view text);

}  // namespace qn::cli
