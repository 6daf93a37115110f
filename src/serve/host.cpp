#include "serve/host.h"

#include <algorithm>

#include "engine/engine.h"
#include "engine/model_runner.h"
#include "serve/prefetch.h"
#include "serve/session.h"

namespace qn::serve {
namespace {

constexpr int rows_a_step = 512;
constexpr int shortest_window = 256;  // below it, a model is refused rather than loaded for nothing

struct Plan {
  model::ForwardOptions forward;
  model::MemoryPlan memory;
  int context_tokens = 0;
};

int pages_for(int tokens, const model::KvOptions& kv) {
  return (tokens + kv.page_tokens - 1) / kv.page_tokens;
}

// The window: what was asked for, or the model's own as far as half of the free memory goes.
Result<Plan> make_plan(const file::Checkpoint& checkpoint, const model::Description& description, const LoadOptions& options,
                       std::uint64_t available_bytes) {
  Plan plan;
  const quant::Format* plain = quant::find_format("F16");
  plan.forward.kv.keys = options.key_format != nullptr ? options.key_format : plain;
  plan.forward.kv.values = options.value_format != nullptr ? options.value_format : plain;
  plan.forward.max_rows = rows_a_step;
  plan.forward.pages = 1;
  QN_TRY(plan.memory, model::plan_memory(checkpoint, description, plan.forward));

  const int own = std::max(description.sizes.context, shortest_window);
  if (options.context_tokens) {
    plan.context_tokens = *options.context_tokens;
  } else {
    const std::uint64_t fixed_bytes = plan.memory.weight_bytes + plan.memory.working_bytes;
    const std::uint64_t room_bytes = available_bytes > fixed_bytes ? (available_bytes - fixed_bytes) / 2 : 0;
    const std::uint64_t fitting = room_bytes / std::max<std::uint64_t>(plan.memory.kv_bytes_per_token, 1);
    plan.context_tokens = static_cast<int>(std::clamp<std::uint64_t>(fitting, shortest_window, static_cast<std::uint64_t>(own)));
  }
  plan.forward.pages = pages_for(plan.context_tokens, plan.forward.kv);
  QN_TRY(plan.memory, model::plan_memory(checkpoint, description, plan.forward));
  QN_OK(model::check_fits(plan.memory, available_bytes));
  return plan;
}

Status prepare_text(LoadedModel& model, int embedding_rows, const LoadOptions& options) {
  const file::Metadata& metadata = model.checkpoint->metadata;
  QN_TRY(text::VocabSpec vocab, file::read_vocab(metadata));
  QN_TRY(text::Tokenizer tokenizer, text::Tokenizer::make(std::move(vocab)));
  if (tokenizer.vocab_size() > embedding_rows)
    return fail(Code::bad_input, "metadata tokenizer.ggml.tokens: {} tokens, the embedding has {} rows; the file is damaged",
                tokenizer.vocab_size(), embedding_rows);
  model.tokenizer.emplace(std::move(tokenizer));
  QN_TRY(model.recommended, recommended_parameters(metadata));

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
  Result<text::Template> parsed = text::Template::parse(model.template_source);
  if (!parsed) {
    const std::string message =
        fmt::format("chat template: {}; --chat-template-file gives another, --raw does without", parsed.error().message);
    model.template_error = Error{parsed.error().code, message};
    // One that the user gave is the user's to mend; the model's own only matters in a chat.
    if (options.chat_template) return tl::unexpected<Error>(*model.template_error);
  } else {
    model.chat_template.emplace(*std::move(parsed));
  }
  return {};
}

Result<file::Checkpoint> open(const ModelSource& source, Residence residence) {
  if (const auto* image = std::get_if<ModelImage>(&source)) return file::open_gguf(image->bytes, image->name);
  return file::open_gguf(std::get<std::filesystem::path>(source), residence);
}

std::string name_of(const ModelSource& source) {
  if (const auto* image = std::get_if<ModelImage>(&source)) return image->name;
  return quoted(std::get<std::filesystem::path>(source).native(), 256);
}

// In memory from here on, and not at the first reply.
Status lock_weights(const model::Model& model) {
  for (const std::span<const std::byte> tensor : model.bytes_in_use())
    if (const MappedFile* map = model.checkpoint().map_of(tensor); map != nullptr)
      if (const Status locked = map->lock(tensor); !locked) return fail(locked.error().code, "--mlock: {}", locked.error().message);
  return {};
}

struct Loaded {
  std::unique_ptr<LoadedModel> model;
  model::ForwardOptions forward;
};

Result<Loaded> make_ready(file::Checkpoint checkpoint, const LoadOptions& options, Backend& device) {
  auto loaded = std::make_unique<LoadedModel>();
  loaded->checkpoint = std::make_shared<const file::Checkpoint>(std::move(checkpoint));
  QN_TRY(const model::Description description, model::describe(*loaded->checkpoint));
  QN_TRY(Plan plan, make_plan(*loaded->checkpoint, description, options, device.info().available_bytes));
  QN_OK(prepare_text(*loaded, description.sizes.vocab, options));
  QN_TRY(loaded->model, model::Model::load(loaded->checkpoint, model::place_on(device, description.sizes.layers)));
  if (options.lock) {
    QN_OK(lock_weights(*loaded->model));
  } else if (options.residence == Residence::mapped && !loaded->checkpoint->maps.empty()) {
    loaded->prefetch = std::make_unique<Prefetch>(loaded->model);
  }
  loaded->plan = plan.memory;
  loaded->kv = plan.forward.kv;
  loaded->context_tokens = plan.context_tokens;
  return Loaded{std::move(loaded), plan.forward};
}

// What is wrong with a model is said with the file's name, which the lower layers do not know.
Result<Loaded> load_parts(const ModelSource& source, const LoadOptions& options, Backend& device) {
  QN_TRY(file::Checkpoint checkpoint, open(source, options.residence));
  Result<Loaded> loaded = make_ready(std::move(checkpoint), options, device);
  if (!loaded) return fail(loaded.error().code, "{}: {}", name_of(source), loaded.error().message);
  return loaded;
}

}  // namespace

LoadedModel::LoadedModel() = default;
LoadedModel::~LoadedModel() = default;

Result<std::unique_ptr<LoadedModel>> load_model(const ModelSource& source, const LoadOptions& options, Backend& device) {
  const std::chrono::nanoseconds began = SteadyClock().now();
  QN_TRY(Loaded loaded, load_parts(source, options, device));
  LoadedModel& model = *loaded.model;
  QN_TRY(std::unique_ptr<model::Forward> forward, model::Forward::make(model.model, loaded.forward));
  model.engine =
      std::make_unique<engine::Engine>(std::make_unique<engine::ModelRunner>(std::move(forward), model.context_tokens), model.clock);
  model.load_time = model.clock.now() - began;
  return std::move(loaded.model);
}

Result<std::unique_ptr<LoadedModel>> load_without_engine(const ModelSource& source, const LoadOptions& options, Backend& device) {
  QN_TRY(Loaded loaded, load_parts(source, options, device));
  return std::move(loaded.model);
}

}  // namespace qn::serve
