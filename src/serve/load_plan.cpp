#include "serve/load_plan.h"

#include <algorithm>

namespace qn::serve {
namespace {

constexpr int shortest_window = 256;                         // below it, a model is refused rather than loaded for nothing
constexpr int comfortable_window = 8192;                     // for less than this, or its own, others make room
constexpr std::int64_t most_tokens = std::int64_t{1} << 30;  // of all pages: counts of tokens are int

struct Range {
  std::string_view name;
  int value, least, most;
};

Status check_ranges(const LoadOptions& options) {
  const Range ranges[] = {{"context length", options.context_tokens.value_or(shortest_window), 1, 2'147'000'000},
                          {"sequences", options.max_sequences, 1, 4096},
                          {"tokens a step", options.max_batched_tokens, 1, 1 << 20},
                          {"page length", options.page_tokens, 1, 4096}};
  for (const Range& range : ranges)
    if (range.value < range.least || range.value > range.most)
      return fail(Code::bad_input, "{}: {} is out of range; give {} to {}", range.name, range.value, range.least, range.most);
  return {};
}

// Rows of logits that are in memory at once. More sequences get theirs in several pieces; fewer may still ask for a prompt's.
constexpr int fewest_logits = 16, most_logits = 64;

model::ForwardOptions forward_options(const LoadOptions& options) {
  const quant::Format* plain = quant::find_format("F16");
  return {.kv = {.keys = options.key_format != nullptr ? options.key_format : plain,
                 .values = options.value_format != nullptr ? options.value_format : plain,
                 .page_tokens = options.page_tokens},
          .pages = 1,
          .max_rows = std::max(options.max_batched_tokens, options.max_sequences),  // every sequence has a row in every step
          .max_logits = std::clamp(options.max_sequences, fewest_logits, most_logits)};
}

int pages_for(std::int64_t tokens, int page_tokens) {
  return static_cast<int>((tokens + page_tokens - 1) / page_tokens);
}

int own_window(const OpenedModel& opened, const LoadOptions& options) {
  const int own = std::max(opened.description.sizes.context, shortest_window);
  return options.most_context_tokens ? std::max(std::min(own, *options.most_context_tokens), 1) : own;
}

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

// In vLLM's words, which tools look for, and then ours.
Status check_fits_server(const model::MemoryPlan& plan, int context_tokens, std::uint64_t available_bytes) {
  if (plan.total_bytes() <= available_bytes) return {};
  const std::uint64_t fixed_bytes = plan.weight_bytes + plan.working_bytes;
  const std::uint64_t left = available_bytes > fixed_bytes ? available_bytes - fixed_bytes : 0;
  const std::uint64_t tokens = left / std::max<std::uint64_t>(plan.kv_bytes_per_token, 1);
  const std::string parts = fmt::format("{:.2f} GiB for weights, {:.2f} for working buffers, {:.2f} available", gib(plan.weight_bytes),
                                        gib(plan.working_bytes), gib(available_bytes));
  if (tokens < shortest_window)
    return fail(Code::out_of_memory,
                "No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.\n"
                "memory: {}; use a smaller model or a smaller quantization",
                parts);
  return fail(
      Code::out_of_memory,
      "To serve at least one request with the models's max seq len ({}), ({:.2f} GiB KV cache is needed, which is larger than the "
      "available KV cache memory ({:.2f} GiB). Based on the available memory, the estimated maximum model length is {}. Try increasing "
      "`gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.\n"
      "memory: {}; --max-model-len {} would fit, and --max-model-len auto takes the longest that does",
      context_tokens, gib(plan.kv_bytes), gib(left), tokens, parts, tokens / shortest_window * shortest_window);
}

Status check_trained(const OpenedModel& opened, const LoadOptions& options) {
  const int own = opened.description.sizes.context;
  if (options.beyond_training == BeyondTraining::allowed || !options.context_tokens || own <= 0 || *options.context_tokens <= own)
    return {};
  return fail(Code::bad_input,
              "User-specified max_model_len ({}) is greater than the derived max_model_len (max_position_embeddings={} or "
              "model_max_length=None in model's config.json). To allow overriding this maximum, set the env var "
              "VLLM_ALLOW_LONG_MAX_MODEL_LEN=1.\n--max-model-len {} would do, and so would leaving it out",
              *options.context_tokens, own, own);
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

}  // namespace

Result<OpenedModel> open_model(const ModelSource& source, const LoadOptions& options) {
  const auto* image = std::get_if<ModelImage>(&source);
  QN_TRY(file::Checkpoint checkpoint, image != nullptr ? file::open_gguf(image->bytes, image->name)
                                                       : file::open_gguf(std::get<std::filesystem::path>(source), options.residence));
  OpenedModel opened;
  opened.checkpoint = std::make_shared<const file::Checkpoint>(std::move(checkpoint));
  QN_TRY(opened.description, model::describe(*opened.checkpoint));
  return opened;
}

Result<LoadPlan> plan_load(const OpenedModel& opened, const LoadOptions& options, std::uint64_t available_bytes) {
  QN_OK(check_ranges(options));
  QN_OK(check_trained(opened, options));
  LoadPlan plan;
  plan.forward = forward_options(options);
  QN_TRY(plan.memory, model::plan_memory(*opened.checkpoint, opened.description, plan.forward));

  const std::uint64_t fixed_bytes = plan.memory.weight_bytes + plan.memory.working_bytes;
  const std::uint64_t half = available_bytes > fixed_bytes ? (available_bytes - fixed_bytes) / 2 : 0;
  const auto room_tokens = static_cast<std::int64_t>(
      std::min<std::uint64_t>(options.kv_bytes.value_or(half) / std::max<std::uint64_t>(plan.memory.kv_bytes_per_token, 1), most_tokens));
  plan.context_tokens = options.context_tokens.value_or(static_cast<int>(
      std::clamp<std::int64_t>(room_tokens, std::min(shortest_window, own_window(opened, options)), own_window(opened, options))));
  const std::int64_t all_windows = options.kv_bytes ? most_tokens : std::int64_t{plan.context_tokens} * options.max_sequences;
  const std::int64_t tokens = std::max<std::int64_t>(plan.context_tokens, std::min({room_tokens, all_windows, most_tokens}));
  plan.forward.pages = pages_for(tokens, options.page_tokens);
  QN_TRY(plan.memory, model::plan_memory(*opened.checkpoint, opened.description, plan.forward));
  QN_OK(options.audience == Audience::server ? check_fits_server(plan.memory, plan.context_tokens, available_bytes)
                                             : model::check_fits(plan.memory, available_bytes));
  return plan;
}

Result<std::uint64_t> wanted_bytes(const OpenedModel& opened, const LoadOptions& options) {
  QN_OK(check_ranges(options));
  model::ForwardOptions forward = forward_options(options);
  forward.pages =
      pages_for(options.context_tokens.value_or(std::min(own_window(opened, options), comfortable_window)), options.page_tokens);
  QN_TRY(const model::MemoryPlan memory, model::plan_memory(*opened.checkpoint, opened.description, forward));
  return memory.total_bytes();
}

std::string cache_report(const LoadedModel& model) {
  const std::uint64_t tokens = model.plan.kv_bytes / std::max<std::uint64_t>(model.plan.kv_bytes_per_token, 1);
  return fmt::format(
      "Available KV cache memory: {:.2f} GiB\nGPU KV cache size: {} tokens\nMaximum concurrency for {} tokens per request: {:.2f}x\n",
      gib(model.plan.kv_bytes), grouped(tokens), grouped(static_cast<std::uint64_t>(model.context_tokens)),
      static_cast<double>(tokens) / static_cast<double>(model.context_tokens));
}

std::string name_of(const ModelSource& source) {
  if (const auto* image = std::get_if<ModelImage>(&source)) return image->name;
  return quoted(std::get<std::filesystem::path>(source).native(), 256);
}

}  // namespace qn::serve
