// Ollama's replies: one JSON object a line, the last of which says how it went.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <string>

#include "api/generate.h"
#include "base/json.h"

namespace qn::api::ollama {

// RFC 3339 in UTC, to the nanosecond.
std::string timestamp(std::chrono::system_clock::time_point time);
std::string timestamp(std::time_t seconds, std::int64_t nanoseconds);  // for dates that nanoseconds in 64 bits do not reach

struct ReplyShape {
  bool is_chat = false;      // {"message": {"role", "content"}} in place of {"response"}
  bool logprobs = false;     //
  bool has_context = false;  // the last line lists the ids of prompt and reply
};
std::unique_ptr<ReplyWriter> reply_writer(const ReplyShape& shape);

}  // namespace qn::api::ollama
