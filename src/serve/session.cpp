#include "serve/session.h"

#include <condition_variable>
#include <ctime>
#include <limits>
#include <mutex>
#include <random>
#include <utility>

#include "engine/engine.h"
#include "serve/stop_strings.h"

namespace qn::serve {

const std::string_view chatml_template =
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

namespace {

// Events on their way from the engine's thread to whoever pulls. Shared by the sink and the reply: either may go first.
struct Inbox {
  std::mutex mutex;
  std::condition_variable filled;
  std::vector<engine::TokenEvent> events;

  void put(const engine::TokenEvent& event) {
    {
      const std::lock_guard lock(mutex);
      events.push_back(event);
    }
    filled.notify_one();
  }
  std::vector<engine::TokenEvent> take(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex);
    filled.wait_for(lock, patience, [this] { return !events.empty(); });
    return std::exchange(events, {});
  }
};

Finish finish_of(engine::Finish finish) {
  switch (finish) {
    case engine::Finish::end_of_text: return Finish::stop;
    case engine::Finish::max_tokens: return Finish::length;
    case engine::Finish::context_full: return Finish::window_full;
    case engine::Finish::cancelled: return Finish::cancelled;
    case engine::Finish::error: break;
  }
  return Finish::failed;
}

// Tokens to text: whole characters, then stop strings cut out, then thinking set apart.
class EngineReply final : public Reply {
 public:
  EngineReply(LoadedModel& model, std::vector<std::string> stop, std::optional<text::ThinkSplitter> splitter,
              std::chrono::nanoseconds began)
      : engine_(*model.engine),
        clock_(model.clock),
        tokenizer_(*model.tokenizer),
        decoder_(*model.tokenizer, false),
        stops_(std::move(stop)),
        splitter_(std::move(splitter)),
        began_(began) {}
  ~EngineReply() override {
    if (finish_ == Finish::running) engine_.cancel(id_);
  }

  enum class From { turn, text };  // whether the reply begins a turn or goes on with the prompt's text

  Status start(engine::Generation generation, From from) {
    // A decoder that has seen the prompt's end keeps the space that the reply may begin with.
    if (from == From::text) decoder_.push(generation.prompt.back());
    generation.sink = [inbox = inbox_](const engine::TokenEvent& event) { inbox->put(event); };
    QN_TRY(id_, engine_.submit(std::move(generation)));
    return {};
  }

  ReplyPiece next(std::chrono::milliseconds patience) override {
    ReplyPiece piece;
    if (finish_ != Finish::running) return piece;
    for (engine::TokenEvent& event : inbox_->take(patience)) {
      take_event(event, piece);
      if (finish_ != Finish::running) break;
    }
    return piece;
  }
  Finish finish() const override { return finish_; }
  const std::optional<Error>& error() const override { return error_; }
  void cancel() override { engine_.cancel(id_); }
  const ReplyStats& stats() const override { return stats_; }

 private:
  void take_event(engine::TokenEvent& event, ReplyPiece& piece) {
    stats_.prompt_tokens = event.counts.prompt_tokens;
    stats_.cached_tokens = event.counts.cached_tokens;
    stats_.reply_tokens = event.counts.generated_tokens;
    stats_.prompt_eval = event.timings.prompt;
    stats_.eval = event.timings.generation;
    stats_.first_token = event.timings.queued + event.timings.prompt;
    const bool ends_turn = event.finish == engine::Finish::end_of_text;
    // An embedding may have more rows than the vocabulary has tokens; such ids stand for nothing.
    if (event.token >= 0 && event.token < tokenizer_.vocab_size() && !ends_turn) show(decoder_.push(event.token), piece);
    if (stops_.stopped()) {
      if (!event.finish) engine_.cancel(id_);
      return end(Finish::stop, piece);
    }
    if (!event.finish) return;
    if (event.error) error_ = std::move(event.error);
    show(decoder_.finish(), piece);
    end(stops_.stopped() ? Finish::stop : finish_of(*event.finish), piece);
  }

  void show(const std::string& text, ReplyPiece& piece) { split(stops_.push(text), piece); }

  void split(const std::string& text, ReplyPiece& piece) {
    if (!splitter_) {
      piece.content += text;
      return;
    }
    text::ThinkSplitter::Parts parts = splitter_->push(text);
    piece.thinking += parts.thinking;
    piece.content += parts.content;
  }

  void end(Finish finish, ReplyPiece& piece) {
    split(stops_.finish(), piece);
    if (splitter_) {
      text::ThinkSplitter::Parts parts = splitter_->finish();
      piece.thinking += parts.thinking;
      piece.content += parts.content;
    }
    finish_ = finish;
    stats_.total = clock_.now() - began_;
  }

  engine::Engine& engine_;
  const Clock& clock_;
  const text::Tokenizer& tokenizer_;
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  SequenceId id_{0};
  text::StreamDecoder decoder_;
  StopStrings stops_;
  std::optional<text::ThinkSplitter> splitter_;
  Finish finish_ = Finish::running;
  std::optional<Error> error_;
  ReplyStats stats_;
  std::chrono::nanoseconds began_;
};

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// What the user set, else what the model recommends, else the engine's own.
engine::Generation generation_for(const LoadedModel& model, const Parameters& parameters, bool ignore_end_of_turn) {
  engine::Generation generation;
  generation.sampling = engine::merge(engine::SamplingParameters{}, parameters.sampling);
  if (!parameters.sampling.seed) generation.sampling.seed = random_seed();
  if (parameters.num_predict && *parameters.num_predict > 0) generation.max_tokens = *parameters.num_predict;
  const std::vector<TokenId>& ends = model.tokenizer->spec().end_of_turn;
  if (!ignore_end_of_turn) {
    generation.stop_tokens = ends;
  } else {
    for (const TokenId id : ends) generation.sampling.logit_bias.push_back({id, -std::numeric_limits<float>::infinity()});
  }
  return generation;
}

}  // namespace

Result<std::string> Session::render(const text::Chat& chat) const {
  if (model_->form == PromptForm::plain_text) {
    // A base model goes on with text: what was said so far, each turn of the user on a line of its own.
    std::string prompt;
    for (const text::Message& message : chat.messages)
      prompt += (prompt.empty() || message.role == "assistant" ? "" : "\n") + message.content;
    return prompt;
  }
  if (model_->template_error) return tl::unexpected<Error>(*model_->template_error);
  const text::VocabSpec& vocab = model_->tokenizer->spec();
  text::ChatTokens marks;
  if (vocab.bos >= 0) marks.bos = model_->tokenizer->special_text(vocab.bos);
  if (vocab.eos >= 0) marks.eos = model_->tokenizer->special_text(vocab.eos);
  const std::time_t seconds = std::time(nullptr);
  std::tm now{};
  localtime_r(&seconds, &now);
  return text::render_chat(*model_->chat_template, chat, marks, now);
}

Result<std::unique_ptr<Reply>> Session::start(const ReplyRequest& request) {
  const std::chrono::nanoseconds began = model_->clock.now();
  const Parameters parameters = merge(request.parameters, model_->recommended);
  const bool plain = request.raw_prompt || model_->form == PromptForm::plain_text;
  std::string prompt;
  if (request.raw_prompt) {
    prompt = *request.raw_prompt;
  } else {
    QN_TRY(prompt, render(request.chat));
  }
  engine::Generation generation = generation_for(*model_, parameters, request.ignore_end_of_turn);
  generation.prompt = model_->tokenizer->encode(prompt, {text::Specials::parse, plain});
  if (generation.prompt.empty()) {
    const TokenId bos = model_->tokenizer->spec().bos;
    if (bos < 0) return fail(Code::bad_input, "prompt: it holds no token; write something");
    generation.prompt.push_back(bos);
  }
  std::optional<text::ThinkSplitter> splitter;
  if (!plain) splitter.emplace(prompt);
  auto reply = std::make_unique<EngineReply>(*model_, parameters.stop, std::move(splitter), began);
  QN_OK(reply->start(std::move(generation), plain ? EngineReply::From::text : EngineReply::From::turn));
  return reply;
}

}  // namespace qn::serve
