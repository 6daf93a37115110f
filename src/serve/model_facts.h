// ModelFacts: what listings tell of a model, read from its file without loading it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "file/checkpoint.h"
#include "serve/model_host.h"
#include "serve/parameters.h"
#include "text/chat/chat.h"

namespace qn::serve {

struct ModelFacts {
  std::string architecture;  // "qwen2"
  std::string base_name;     // general.basename, else general.name
  std::string license;
  std::string quantization;  // "Q4_K_M", or the type that holds most weights
  std::uint64_t parameters = 0;
  int context_tokens = 0, width = 0;    // 0 where the file does not say
  std::string template_source;          // in use: the server's, the file's, or ChatML; empty for a model that goes on with text
  bool embeds = false;                  // made for embeddings, and not for text
  std::vector<std::string> fill_marks;  // before the prefix, the suffix and the middle that the model writes; empty where it has none
  text::TemplateCapabilities can;
  Parameters recommended;

  bool fills_in() const { return !fill_marks.empty(); }
};

//   errors   those of reading the file
Result<file::Checkpoint> open_checkpoint(const ServedModel& model);
Result<ModelFacts> read_model_facts(const ServedModel& model);

// "7.6B", "494.03M"
std::string short_count(std::uint64_t parameters);

// Facts by model, each read once. Any thread.
class ModelFactShelf {
 public:
  // Null where the file cannot be read; that is tried again at the next call.
  std::shared_ptr<const ModelFacts> of(const ServedModel& model);

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const ModelFacts>> facts_;  // by name, size and date
};

}  // namespace qn::serve
