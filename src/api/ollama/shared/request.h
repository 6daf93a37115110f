// What Ollama's generating endpoints read alike: options, think, format, keep_alive, log probabilities.
#pragma once

#include "api/body.h"
#include "api/generate.h"
#include "api/sampling_fields.h"

namespace qn::api::ollama {

struct Asked {
  GenerateJob job;
  serve::ReplyRequest request;
  std::string suffix = {};  // what the model writes ends where this begins
  bool logprobs = false;
};

// Takes the common fields. model is required; stream is on unless it is said.
void read_asked(const Service& service, Fields& fields, Asked& asked);

// think: true, false or a level; absent is the model's own way.
void read_think(Fields& fields, Asked& asked);

// The model's name, under `model` or, where clients say so, `name`.
std::string read_model_name(Fields& fields);

// Whether the model is none for this: it only embeds, or does not fill in. Then it has been answered.
enum class Ability { chat, generate, insert };
bool cannot(Service& service, Exchange& exchange, const std::string& model, Ability ability);

// There is nothing to answer: loads the model, or unloads it where keep_alive is 0, and answers `body` with why it is done.
void load_or_unload(Service& service, const std::shared_ptr<Exchange>& exchange, const GenerateJob& job, json::Object body);

// Answers with the prompt as text, and asks the model nothing.
void render_only(Service& service, const std::shared_ptr<Exchange>& exchange, Asked asked);

}  // namespace qn::api::ollama
