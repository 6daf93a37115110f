// Conversation: a model, the messages so far and the settings. It asks the model and shows the reply, for one question or for many.
// Invariant: messages alternate user and assistant; a question that got no answer is not kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/chat/settings.h"
#include "cli/io.h"
#include "cli/terminal/reply_printer.h"
#include "serve/host.h"
#include "serve/session.h"

namespace qn::cli {

class Conversation {
 public:
  Conversation(std::unique_ptr<serve::LoadedModel> model, ChatSettings settings);

  ChatSettings settings;
  std::vector<text::Message> messages;

  serve::LoadedModel& model() { return *model_; }
  void replace_model(std::unique_ptr<serve::LoadedModel> model);

  // Asks and shows the reply as it comes; Ctrl-C stops it. The oldest messages are left out of the prompt where the window is full.
  //   returns   how the reply ended
  Result<serve::Finish> ask(std::string_view question, Io& io);

  // Text continued as it is, without a template.
  enum class Echo { none, prompt };
  Result<serve::Finish> complete(std::string_view prompt, Echo echo, Io& io);

 private:
  struct Shown {
    serve::Finish finish;
    std::string thinking, content;
  };
  Result<Shown> show(serve::Reply& reply, ReplyPrinter& printer, Io& io);
  ReplyPrinter make_printer(const Io& io) const;
  serve::ReplyRequest request() const;
  void report_end(const serve::Reply& reply, Io& io);

  std::unique_ptr<serve::LoadedModel> model_;
  bool first_reply_ = true;  // its statistics include loading
};

}  // namespace qn::cli
