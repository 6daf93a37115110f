#include "api/anthropic/shared/model_json.h"

#include <ctime>

namespace qn::api::anthropic {

json::Object model_json(const serve::ServedModel& model) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(model.modified);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {{"type", "model"}, {"id", model.name}, {"display_name", model.name}, {"created_at", std::string_view(text, size)}};
}

}  // namespace qn::api::anthropic
