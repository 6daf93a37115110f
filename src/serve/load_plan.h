// LoadPlan: what loading a model will take, known from its file's header before anything of its size is allocated.
//
// Memory for pages is reserved and not touched: a context costs nothing until somebody writes so far.
//   available   [ weights | working buffers | pages, touched as they are used ...      | left to others ]
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "file/checkpoint.h"
#include "model/model.h"
#include "model/plan.h"
#include "serve/host.h"

namespace qn::serve {

struct OpenedModel {  // a file whose header has been read
  std::shared_ptr<const file::Checkpoint> checkpoint;
  model::Description description;
};

struct LoadPlan {
  model::ForwardOptions forward;
  model::MemoryPlan memory;
  int context_tokens = 0;
};

//   errors   not_found, bad_input, unsupported: the file
Result<OpenedModel> open_model(const ModelSource& source, const LoadOptions& options);

// The window is what was asked for, or the model's own as far as half of the memory left by its weights goes; the pages are as many as
// options.max_sequences windows take, within the same half; or those that fit options.kv_bytes. Never less than one window.
//   errors   out_of_memory, with the numbers; unsupported: cache formats; bad_input: sizes out of range, or a window that was refused
Result<LoadPlan> plan_load(const OpenedModel& opened, const LoadOptions& options, std::uint64_t available_bytes);

// What it takes at least to be of use: others are unloaded for that much, and not for more.
Result<std::uint64_t> wanted_bytes(const OpenedModel& opened, const LoadOptions& options);

// What vLLM says of its cache when it has started; tools read these lines.
std::string cache_report(const LoadedModel& model);

// The rest of load_model(), once the plan is made. What is wrong is said without the file's name.
Result<std::unique_ptr<LoadedModel>> load_planned(const OpenedModel& opened, const LoadOptions& options, const LoadPlan& plan,
                                                  Backend& device);

// Its path or name, for messages.
std::string name_of(const ModelSource& source);

}  // namespace qn::serve
