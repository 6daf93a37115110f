// llama-server's completion: what /completion and /infill share.
#pragma once

#include "api/fields.h"
#include "api/generate.h"
#include "serve/reply_request.h"

namespace qn::api::native {

struct CompletionShown {
  bool list = false;  // several prompts or replies: the answer is a list
  bool tokens = false;
  bool no_reply = false;  // n_predict 0: the prompt is read, and nothing is written
  bool timings = false;   // on every event
  bool after_sampling = false;
  std::optional<int> probabilities;
  std::vector<std::string> fields;  // the answer's, if not all: "a/b" lifts b to the root
};

// Takes all fields but the prompt's.
void read_completion(const Service& service, Fields& fields, GenerateJob& job, serve::ReplyRequest& request, CompletionShown& shown);

std::unique_ptr<ReplyWriter> completion_writer(CompletionShown shown);

}  // namespace qn::api::native
