// Repl: the chat at a terminal. Lines come in through the editor; a message goes to the model, a slash command changes the chat.
#pragma once

#include <memory>
#include <string>

#include "cli/chat/conversation.h"
#include "cli/chat/history.h"
#include "cli/chat/slash.h"
#include "cli/model_loader.h"

namespace qn::cli {

class Repl {
 public:
  //   name   of the model, as /save writes it down
  Repl(Conversation& conversation, ModelLoader& loader, std::string name, serve::LoadOptions options, Io& io)
      : conversation_(conversation), loader_(loader), model_name_(std::move(name)), options_(std::move(options)), io_(io) {}

  // Until the user leaves. A first message may be given on the command line.
  //   returns  the exit code
  int run(const std::string& first_message = {});

  // One slash command; false when the chat is over. Separate from run() so that tests need no terminal.
  bool obey(const SlashLine& line);

 private:
  void answer(const std::string& message);
  void set(std::string_view what);
  void set_parameter(std::string_view what);
  void set_thinking(std::string_view level);
  void show(std::string_view what);
  void show_info();
  void show_modelfile();
  void show_parameters();
  void load(const std::string& name);
  void save(const std::string& name);
  void list();
  Status load_model(const std::string& name);
  void say(std::string_view text);  // a line on out

  Conversation& conversation_;
  ModelLoader& loader_;
  std::string model_name_;
  serve::LoadOptions options_;
  Io& io_;
};

// The rows of `/show info`, indented two columns.
std::string describe_model(const serve::LoadedModel& model);

}  // namespace qn::cli
