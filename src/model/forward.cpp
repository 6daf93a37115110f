#include "model/forward.h"

#include <algorithm>
#include <functional>

namespace qn::model {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

std::size_t row_bytes(int rows, int columns) {
  return aligned(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * sizeof(float));
}

// A half of a layer takes a handful of tensors, each rounded up to 64 bytes.
std::size_t scratch_bytes(const Architecture& architecture, const Sizes& sizes, int rows) {
  return row_bytes(rows, architecture.scratch_columns(sizes)) + 16 * 64;
}

// What was computed from bytes that are no longer there is worth nothing.
Status check_whole(const file::Checkpoint& checkpoint) {
  for (const auto& map : checkpoint.maps)
    if (map->lost())
      return fail(Code::io, "the model's file: it became shorter or its disk failed while it was in use; restore it and ask again");
  return {};
}

// The devices are ours while this lives.
class StepOnDevices {
 public:
  StepOnDevices(std::span<Backend* const> devices, int rows) : devices_(devices.begin(), devices.end()) {
    std::sort(devices_.begin(), devices_.end(), std::less<>());
    for (Backend* device : devices_) device->begin_step(rows);
  }
  ~StepOnDevices() {
    for (Backend* device : devices_) device->end_step();
  }
  StepOnDevices(const StepOnDevices&) = delete;
  StepOnDevices& operator=(const StepOnDevices&) = delete;

 private:
  std::vector<Backend*> devices_;
};

}  // namespace

std::uint64_t working_bytes(const Architecture& architecture, const Sizes& sizes, const ForwardOptions& options) {
  const std::uint64_t activations = row_bytes(options.max_rows, sizes.width) + row_bytes(options.max_rows, sizes.rotated) +
                                    scratch_bytes(architecture, sizes, options.max_rows);
  return activations + 2 * row_bytes(options.max_logits, sizes.vocab) + row_bytes(options.max_logits, sizes.width);
}

Result<std::unique_ptr<Forward>> Forward::make(std::shared_ptr<const Model> model, const ForwardOptions& options) {
  QN_CHECK(options.max_rows >= 1 && options.max_logits >= 1 && options.pages >= 1, "a step has rows, logits and pages");
  const Sizes& sizes = model->sizes();
  QN_TRY(KvCache cache, KvCache::make(*model, options.kv, options.pages));
  std::unique_ptr<Forward> forward(new Forward(std::move(model), options, std::move(cache)));
  const Placement& placement = forward->model_->placement();
  const std::size_t x_bytes = row_bytes(options.max_rows, sizes.width), turn_bytes = row_bytes(options.max_rows, sizes.rotated);
  const std::size_t scratch = scratch_bytes(forward->model_->architecture(), sizes, options.max_rows);
  for (Backend* device : placement.devices) {
    DeviceMemory memory;
    QN_TRY(memory.buffer, device->allocate(x_bytes + turn_bytes + scratch));
    memory.x = {memory.buffer->data, Element::f32, options.max_rows, sizes.width};
    memory.cos_sin = {memory.buffer->data + x_bytes, Element::f32, options.max_rows, sizes.rotated};
    memory.scratch = {memory.buffer->data + x_bytes + turn_bytes, scratch};
    forward->memory_.push_back(std::move(memory));
  }
  const std::size_t picked_bytes = row_bytes(options.max_logits, sizes.width);
  QN_TRY(forward->head_memory_, placement.devices[placement.head]->allocate(picked_bytes + row_bytes(options.max_logits, sizes.vocab)));
  forward->picked_ = {forward->head_memory_->data, Element::f32, options.max_logits, sizes.width};
  forward->logits_ = {forward->head_memory_->data + picked_bytes, Element::f32, options.max_logits, sizes.vocab};
  forward->host_cos_sin_.resize(static_cast<std::size_t>(options.max_rows) * static_cast<std::size_t>(sizes.rotated));
  if (placement.devices.size() > 1)
    forward->host_x_.resize(static_cast<std::size_t>(options.max_rows) * static_cast<std::size_t>(sizes.width));
  return forward;
}

Result<std::span<const float>> Forward::run(const sched::Step& step, LogitsOf which) {
  const Sizes& sizes = model_->sizes();
  const int rows = step.rows();
  QN_CHECK(rows >= 1 && rows <= options_.max_rows, "the scheduler keeps a step within max_rows");
  std::vector<TokenId> ids;
  std::vector<int> positions, wanted;
  std::vector<SequenceRows> sequences;
  for (const sched::StepSequence& s : step.sequences) {
    const int first_row = static_cast<int>(ids.size());
    const int count = static_cast<int>(s.tokens.size());
    QN_CHECK(static_cast<std::int64_t>(s.pages.size()) * cache_.page_tokens() >= s.first_position + count,
             "pages cover every token of the step");
    sequences.push_back({.first_row = first_row, .rows = count, .first_position = s.first_position, .pages = s.pages});
    for (int i = 0; i < count; ++i) {
      const TokenId id = s.tokens[static_cast<std::size_t>(i)];
      QN_CHECK(id >= 0 && id < sizes.vocab, "the engine admits only ids of the vocabulary");
      ids.push_back(id);
      positions.push_back(s.first_position + i);
      if (which == LogitsOf::all || (s.wants_logits && i == count - 1)) wanted.push_back(first_row + i);
    }
  }
  QN_CHECK(static_cast<int>(wanted.size()) <= options_.max_logits, "the scheduler keeps a step within max_logits");

  const std::span<float> turns = std::span(host_cos_sin_).first(static_cast<std::size_t>(rows) * static_cast<std::size_t>(sizes.rotated));
  fill_cos_sin(model_->rope(), positions, turns);
  const Placement& placement = model_->placement();
  const StepOnDevices turn(placement.devices, rows);
  for (std::size_t device = 0; device < memory_.size(); ++device)
    placement.devices[device]->upload(memory_[device].cos_sin.first_rows(rows), turns.data());

  placement.devices[placement.embedding]->ops().embed(model_->token_embedding(), ids, memory_[placement.embedding].x.first_rows(rows));
  const std::size_t last = run_layers(sequences, placement.embedding, rows);
  if (wanted.empty()) {
    placement.devices[last]->wait();
    QN_OK(check_whole(model_->checkpoint()));
    return std::span<const float>();
  }
  hop(last, placement.head, rows);

  Backend& head = *placement.devices[placement.head];
  const Tensor picked = picked_.first_rows(static_cast<int>(wanted.size()));
  const Tensor logits = logits_.first_rows(static_cast<int>(wanted.size()));
  head.ops().gather(memory_[placement.head].x.first_rows(rows), wanted, picked);
  head.ops().rms_norm(picked, model_->output_norm(), sizes.norm_eps, picked);
  const Projection output[] = {{.weight = &model_->output(), .y = logits}};
  head.ops().linear(picked, output);
  const std::size_t values = wanted.size() * static_cast<std::size_t>(sizes.vocab);
  if (host_logits_.size() < values) host_logits_.resize(values);
  head.download(host_logits_.data(), logits);
  QN_OK(check_whole(model_->checkpoint()));
  return std::span<const float>(host_logits_).first(values);
}

// Returns the device that holds x at the end.
std::size_t Forward::run_layers(std::span<const SequenceRows> sequences, std::size_t device, int rows) {
  const Placement& placement = model_->placement();
  std::vector<std::unique_ptr<AttentionPlan>> plans;
  for (Backend* backend : placement.devices) plans.push_back(backend->ops().plan_attention(sequences, cache_.page_tokens()));
  for (int index = 0; index < model_->sizes().layers; ++index) {
    const Layer& layer = model_->layer(index);
    const auto run_half = [&](std::size_t on, void (Layer::*half)(LayerStep&) const) {
      hop(device, on, rows);
      device = on;
      DeviceMemory& memory = memory_[on];
      Scratch scratch(memory.scratch);
      const RopeTable rope{
          .layout = model_->sizes().rope_layout, .rotated = model_->sizes().rotated, .cos_sin = memory.cos_sin.first_rows(rows)};
      LayerStep step{placement.devices[on]->ops(), scratch, *plans[on], rope, cache_.pool(index), memory.x.first_rows(rows)};
      (layer.*half)(step);
    };
    run_half(placement.mixer[static_cast<std::size_t>(index)], &Layer::mixer);
    run_half(placement.feed_forward[static_cast<std::size_t>(index)], &Layer::feed_forward);
  }
  return device;
}

void Forward::hop(std::size_t from, std::size_t to, int rows) {
  if (from == to) return;
  const Placement& placement = model_->placement();
  placement.devices[from]->download(host_x_.data(), memory_[from].x.first_rows(rows));
  placement.devices[to]->upload(memory_[to].x.first_rows(rows), host_x_.data());
}

}  // namespace qn::model
