#include "api/access_log.h"

#include <vector>

#include "base/log.h"

namespace qn::api {
namespace {

constexpr std::size_t max_path_bytes = 256;

}  // namespace

void log_request(const AccessRecord& record) {
  std::vector<log::Field> fields = {{"id", record.id},
                                    {"method", record.method},
                                    {"path", record.path.substr(0, max_path_bytes)},
                                    {"status", std::int64_t{record.status}},
                                    {"ms", record.total_ms},
                                    {"bytes", record.sent_bytes},
                                    {"client", record.client}};
  const RequestNotes& notes = record.notes;
  if (!notes.model.empty()) fields.push_back({"model", std::string_view(notes.model)});
  if (notes.queue_ms >= 0) fields.push_back({"queue_ms", notes.queue_ms});
  if (notes.first_token_ms >= 0) fields.push_back({"ttft_ms", notes.first_token_ms});
  if (notes.prompt_tokens >= 0) fields.push_back({"prompt_tokens", std::int64_t{notes.prompt_tokens}});
  if (notes.cached_tokens >= 0) fields.push_back({"cached_tokens", std::int64_t{notes.cached_tokens}});
  if (notes.completion_tokens >= 0) fields.push_back({"completion_tokens", std::int64_t{notes.completion_tokens}});
  const double writing_ms = record.total_ms - notes.first_token_ms;
  if (notes.first_token_ms >= 0 && notes.completion_tokens > 1 && writing_ms > 0)
    fields.push_back({"tokens_per_s", (notes.completion_tokens - 1) * 1000.0 / writing_ms});
  log::write_event(log::Level::info, "request", fields);
}

}  // namespace qn::api
