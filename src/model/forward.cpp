#include "model/forward.h"

#include <algorithm>
#include <functional>
#include <utility>

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
  return activations + 2 * row_bytes(options.max_logits, sizes.vocab) + 2 * row_bytes(options.max_logits, sizes.width);
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
  QN_OK(compute(step));
  std::vector<int> rows;
  int row = 0;
  for (const sched::StepSequence& s : step.sequences) {
    const int count = static_cast<int>(s.tokens.size());
    for (int i = which == LogitsOf::all ? 0 : count - s.reads; i < count; ++i) rows.push_back(row + i);
    row += count;
  }
  if (rows.empty()) return std::span<const float>();
  return logits(rows);
}

Status Forward::compute(const sched::Step& step) {
  const Sizes& sizes = model_->sizes();
  const int rows = step.rows();
  QN_CHECK(rows >= 1 && rows <= options_.max_rows, "the scheduler keeps a step within max_rows");
  std::vector<TokenId> ids;
  std::vector<int> positions;
  std::vector<SequenceRows> sequences;
  bool some_are_read = false;
  for (const sched::StepSequence& s : step.sequences) {
    const int first_row = static_cast<int>(ids.size());
    const int count = static_cast<int>(s.tokens.size());
    QN_CHECK(static_cast<std::int64_t>(s.pages.size()) * cache_.page_tokens() >= s.first_position + count,
             "pages cover every token of the step");
    sequences.push_back({.first_row = first_row, .rows = count, .first_position = s.first_position, .pages = s.pages});
    some_are_read |= s.reads > 0;
    for (int i = 0; i < count; ++i) {
      const TokenId id = s.tokens[static_cast<std::size_t>(i)];
      QN_CHECK(id >= 0 && id < sizes.vocab, "the engine admits only ids of the vocabulary");
      ids.push_back(id);
      positions.push_back(s.first_position + i);
    }
  }

  const std::span<float> turns = std::span(host_cos_sin_).first(static_cast<std::size_t>(rows) * static_cast<std::size_t>(sizes.rotated));
  fill_cos_sin(model_->rope(), positions, turns);
  const Placement& placement = model_->placement();
  const StepOnDevices turn(placement.devices, rows);
  for (std::size_t device = 0; device < memory_.size(); ++device)
    placement.devices[device]->upload(memory_[device].cos_sin.first_rows(rows), turns.data());

  placement.devices[placement.embedding]->ops().embed(model_->token_embedding(), ids, memory_[placement.embedding].x.first_rows(rows));
  x_on_ = run_layers(sequences, placement.embedding, rows);
  rows_ = rows;
  if (!some_are_read) placement.devices[x_on_]->wait();
  return check_whole(model_->checkpoint());
}

Result<std::span<const float>> Forward::logits(std::span<const int> rows) {
  const StepOnDevices turn(model_->placement().devices, static_cast<int>(rows.size()));
  const Tensor x = normed(rows);
  const Tensor out = logits_.first_rows(x.rows);
  const Projection output[] = {{.weight = &model_->output(), .y = out}};
  model_->placement().devices[model_->placement().head]->ops().linear(x, output);
  return download(out, host_logits_);
}

Result<std::span<const float>> Forward::hidden(std::span<const int> rows) {
  const StepOnDevices turn(model_->placement().devices, static_cast<int>(rows.size()));
  return download(normed(rows), host_hidden_);
}

Result<std::span<const float>> Forward::download(const Tensor& from, std::vector<float>& to) {
  const std::size_t values = static_cast<std::size_t>(from.rows) * static_cast<std::size_t>(from.columns);
  if (to.size() < values) to.resize(values);
  model_->placement().devices[model_->placement().head]->download(to.data(), from);
  QN_OK(check_whole(model_->checkpoint()));
  return std::span<const float>(to).first(values);
}

Tensor Forward::normed(std::span<const int> rows) {
  QN_CHECK(!rows.empty() && static_cast<int>(rows.size()) <= options_.max_logits, "rows are asked for max_logits at a time");
  QN_CHECK(std::ranges::all_of(rows, [&](int row) { return row >= 0 && row < rows_; }), "rows are those of the last step");
  const Placement& placement = model_->placement();
  hop(std::exchange(x_on_, placement.head), placement.head, rows_);
  const Tensor picked = picked_.first_rows(static_cast<int>(rows.size()));
  Ops& ops = placement.devices[placement.head]->ops();
  ops.gather(memory_[placement.head].x.first_rows(rows_), rows, picked);
  ops.rms_norm(picked, model_->output_norm(), model_->sizes().norm_eps, picked);
  return picked;
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
