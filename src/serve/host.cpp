#include "serve/host.h"

#include <algorithm>

#include "engine/engine.h"
#include "engine/model_runner.h"
#include "serve/load_plan.h"
#include "serve/prefetch.h"
#include "serve/session.h"

namespace qn::serve {
namespace {

Status prepare_text(LoadedModel& model, int embedding_rows, const LoadOptions& options) {
  const file::Metadata& metadata = model.checkpoint->metadata;
  QN_TRY(text::VocabSpec vocab, file::read_vocab(metadata));
  QN_TRY(text::Tokenizer tokenizer, text::Tokenizer::make(std::move(vocab)));
  if (tokenizer.vocab_size() > embedding_rows)
    return fail(Code::bad_input, "metadata tokenizer.ggml.tokens: {} tokens, the embedding has {} rows; the file is damaged",
                tokenizer.vocab_size(), embedding_rows);
  model.tokenizer.emplace(std::move(tokenizer));
  model.defaults = options.defaults;
  model.recommended = options.defaults.parameters;
  if (options.defaults.recommended == Recommended::used) {
    QN_TRY(const Parameters by_file, recommended_parameters(metadata));
    model.recommended = merge(model.recommended, by_file);
  }

  QN_TRY(const std::optional<std::string> own, metadata.text("tokenizer.chat_template"));
  if (options.chat_template) {
    model.template_source = *options.chat_template;
    model.form = PromptForm::own_template;
  } else if (own && !own->empty()) {
    model.template_source = *own;
    model.form = PromptForm::own_template;
  } else if (model.tokenizer->find("<|im_start|>") >= 0 && model.tokenizer->find("<|im_end|>") >= 0) {
    model.template_source = chatml_template;
    model.form = PromptForm::chatml;
  } else {
    model.form = PromptForm::plain_text;
    return {};
  }
  model.dialect = text::find_dialect(model.template_source, [&](std::string_view text) { return model.tokenizer->find(text) >= 0; });
  Result<text::Template> parsed = text::Template::parse(model.template_source);
  if (!parsed) {
    const std::string message =
        fmt::format("chat template: {}; --chat-template-file gives another, --raw does without", parsed.error().message);
    model.template_error = Error{parsed.error().code, message};
    // One that the user gave is the user's to mend; the model's own only matters in a chat.
    if (options.chat_template) return tl::unexpected<Error>(*model.template_error);
  } else {
    model.chat_template.emplace(*std::move(parsed));
    model.capabilities = text::template_capabilities(*model.chat_template, model.template_source, model.dialect, model.chat_tokens());
  }
  return {};
}

// In memory from here on, and not at the first reply.
Status lock_weights(const model::Model& model) {
  for (const std::span<const std::byte> tensor : model.bytes_in_use())
    if (const MappedFile* map = model.checkpoint().map_of(tensor); map != nullptr)
      if (const Status locked = map->lock(tensor); !locked) return fail(locked.error().code, "--mlock: {}", locked.error().message);
  return {};
}

Result<std::unique_ptr<LoadedModel>> make_ready(const OpenedModel& opened, const LoadOptions& options, const LoadPlan& plan,
                                                Backend& device) {
  auto loaded = std::make_unique<LoadedModel>();
  loaded->checkpoint = opened.checkpoint;
  QN_OK(prepare_text(*loaded, opened.description.sizes.vocab, options));
  QN_TRY(loaded->model, model::Model::load(loaded->checkpoint, model::place_on(device, opened.description.sizes.layers)));
  if (options.lock) {
    QN_OK(lock_weights(*loaded->model));
  } else if (options.residence == Residence::mapped && !loaded->checkpoint->maps.empty()) {
    loaded->prefetch = std::make_unique<Prefetch>(loaded->model);
  }
  loaded->plan = plan.memory;
  loaded->kv = plan.forward.kv;
  loaded->context_tokens = plan.context_tokens;
  loaded->max_sequences = options.max_sequences;
  return loaded;
}

Status start_engine(LoadedModel& loaded, const LoadOptions& options, const LoadPlan& plan) {
  QN_TRY(std::unique_ptr<model::Forward> forward, model::Forward::make(loaded.model, plan.forward));
  loaded.engine = std::make_unique<engine::Engine>(
      std::make_unique<engine::ModelRunner>(std::move(forward), plan.context_tokens, options.max_sequences), loaded.clock,
      engine::EngineOptions{.max_waiting = options.max_waiting});
  return {};
}

// What is wrong with a model is said with the file's name, which the lower layers do not know.
template <class T>
Result<T> named(const ModelSource& source, Result<T> result) {
  const std::string name = name_of(source);
  if (result || result.error().message.starts_with(name)) return result;
  return fail(result.error().code, "{}: {}", name, result.error().message);
}

}  // namespace

LoadedModel::LoadedModel() = default;
LoadedModel::~LoadedModel() = default;

text::ChatTokens LoadedModel::chat_tokens() const {
  const text::VocabSpec& vocab = tokenizer->spec();
  text::ChatTokens marks;
  if (vocab.bos >= 0) marks.bos = tokenizer->special_text(vocab.bos);
  if (vocab.eos >= 0) marks.eos = tokenizer->special_text(vocab.eos);
  return marks;
}

text::SharedVocabulary LoadedModel::grammar_vocabulary() {
  std::call_once(has_vocabulary_, [this] { vocabulary_ = text::TokenVocabulary::make(*tokenizer, engine->info().vocab); });
  return vocabulary_;
}

Result<std::unique_ptr<LoadedModel>> load_planned(const OpenedModel& opened, const LoadOptions& options, const LoadPlan& plan,
                                                  Backend& device) {
  const std::chrono::nanoseconds began = SteadyClock().now();
  QN_TRY(std::unique_ptr<LoadedModel> loaded, make_ready(opened, options, plan, device));
  QN_OK(start_engine(*loaded, options, plan));
  loaded->load_time = loaded->clock.now() - began;
  return loaded;
}

Result<std::unique_ptr<LoadedModel>> load_model(const ModelSource& source, const LoadOptions& options, Backend& device) {
  const std::chrono::nanoseconds began = SteadyClock().now();
  QN_TRY(const OpenedModel opened, named(source, open_model(source, options)));
  QN_TRY(const LoadPlan plan, named(source, plan_load(opened, options, device.info().available_bytes)));
  QN_TRY(std::unique_ptr<LoadedModel> loaded, named(source, load_planned(opened, options, plan, device)));
  loaded->load_time = loaded->clock.now() - began;
  return loaded;
}

Result<std::unique_ptr<LoadedModel>> load_without_engine(const ModelSource& source, const LoadOptions& options, Backend& device) {
  QN_TRY(const OpenedModel opened, named(source, open_model(source, options)));
  QN_TRY(const LoadPlan plan, named(source, plan_load(opened, options, device.info().available_bytes)));
  return named(source, make_ready(opened, options, plan, device));
}

}  // namespace qn::serve
