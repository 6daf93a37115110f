#include "cli/chat/conversation.h"

#include "base/utf8.h"
#include "cli/chat/statistics.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/reply_printer.h"

namespace qn::cli {
namespace {

constexpr std::chrono::milliseconds glance{50};  // how long Ctrl-C may go unseen

}  // namespace

Conversation::Conversation(std::unique_ptr<serve::LoadedModel> model, ChatSettings chat_settings)
    : settings(std::move(chat_settings)), model_(std::move(model)) {}

void Conversation::replace_model(std::unique_ptr<serve::LoadedModel> model) {
  model_ = std::move(model);
  first_reply_ = true;
}

ReplyPrinter Conversation::make_printer(const Io& io) const {
  ReplyStyle style{.terminal = io.out_tty, .colour = io.out_colour, .hide_thinking = settings.hide_thinking};
  if (io.out_tty && settings.wordwrap) style.columns = terminal_columns(io.out);
  return ReplyPrinter(io.out, style);
}

serve::ReplyRequest Conversation::request() const {
  serve::ReplyRequest request;
  request.parameters = settings.parameters;
  request.ignore_end_of_turn = settings.ignore_end_of_turn;
  request.chat.template_arguments = settings.template_arguments;
  request.chat.think = settings.thinking.on;
  if (!settings.thinking.level.empty()) request.chat.template_arguments["reasoning_effort"] = settings.thinking.level;
  if (!settings.system.empty()) request.chat.messages.push_back({.role = "system", .content = settings.system});
  return request;
}

Result<Conversation::Shown> Conversation::show(serve::Reply& reply, ReplyPrinter& printer, Io& io) {
  Shown shown{serve::Finish::running, {}, {}};
  while (reply.finish() == serve::Finish::running) {
    const serve::ReplyPiece piece = reply.next(glance);
    const std::string thinking = piece.thinking(), content = piece.content();
    printer.thinking(thinking);
    printer.content(content);
    shown.thinking += thinking;
    shown.content += content;
    if (Interrupt::taken()) reply.cancel();
  }
  printer.finish();
  if (reply.finish() == serve::Finish::failed) return tl::unexpected<Error>(reply.error().value());
  shown.finish = reply.finish();
  report_end(reply, io);
  return shown;
}

void Conversation::report_end(const serve::Reply& reply, Io& io) {
  if (reply.finish() == serve::Finish::window_full)
    note(io, fmt::format("the window of {} tokens is full, so the reply ends here; --ctx gives more room", model_->context_tokens));
  if (settings.verbose) print_statistics(io.err, reply.stats(), first_reply_ ? model_->load_time : std::chrono::nanoseconds(0));
  first_reply_ = false;
}

Result<serve::Finish> Conversation::ask(std::string_view question, Io& io) {
  const text::Message user{.role = "user", .content = utf8::replace_invalid(question)};
  serve::Session session(*model_);
  const Interrupt interrupt;

  Result<std::unique_ptr<serve::Reply>> reply;
  std::size_t left_out = 0;
  while (true) {
    serve::ReplyRequest whole = request();
    whole.chat.messages.insert(whole.chat.messages.end(), messages.begin() + static_cast<std::ptrdiff_t>(left_out), messages.end());
    whole.chat.messages.push_back(user);
    reply = session.start(whole);
    if (reply || reply.error().code != Code::too_large || left_out + 2 > messages.size()) break;
    left_out += 2;
  }
  if (!reply) return tl::unexpected<Error>(reply.error());
  if (left_out > 0)
    note(io, fmt::format("the window of {} tokens is full: the oldest {} messages are left out; /clear begins anew", model_->context_tokens,
                         left_out));

  ReplyPrinter printer = make_printer(io);
  QN_TRY(Shown shown, show(**reply, printer, io));
  if (!shown.content.empty()) {
    messages.push_back(user);
    messages.push_back({.role = "assistant", .content = std::move(shown.content), .reasoning = std::move(shown.thinking)});
  }
  return shown.finish;
}

Result<serve::Finish> Conversation::complete(std::string_view prompt, Echo echo, Io& io) {
  serve::ReplyRequest whole = request();
  whole.raw_prompt = serve::RawText{utf8::replace_invalid(prompt)};
  serve::Session session(*model_);
  const Interrupt interrupt;
  QN_TRY(const std::unique_ptr<serve::Reply> reply, session.start(whole));
  ReplyPrinter printer = make_printer(io);
  if (echo == Echo::prompt) printer.content(prompt);
  QN_TRY(const Shown shown, show(*reply, printer, io));
  return shown.finish;
}

}  // namespace qn::cli
