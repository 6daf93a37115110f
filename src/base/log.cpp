#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "base/format.h"
#include "base/json.h"

namespace qn::log {
namespace {

spdlog::level::level_enum spd_level(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: break;
  }
  return spdlog::level::off;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = spdlog::stderr_color_mt("quern");
    made->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%^%l%$ %v", spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

std::atomic<Format> chosen_format = Format::text;

// As it is where no reader could mistake it, else as JSON writes a string.
std::string text_value(std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" \t\"'=\\") == std::string_view::npos && [value] {
    for (const char c : value)
      if (c <= 0x20 || c >= 0x7f) return false;
    return true;
  }();
  return plain ? std::string(value) : json::print(json::Value(value));
}

struct AsText {
  std::string operator()(std::string_view value) const { return text_value(value); }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return fmt::format("{:.1f}", value); }
};
struct AsJson {
  json::Value operator()(std::string_view value) const { return json::Value(value); }
  json::Value operator()(std::int64_t value) const { return value; }
  json::Value operator()(double value) const { return value; }
};

void write_json(Level level, const json::Object& fields) {
  // The pattern has the time and the level; what follows is the rest of the object.
  const std::string text = json::print(fields);
  logger().log(spd_level(level), std::string_view(text).substr(1));
}

}  // namespace

void set_format(Format format) {
  chosen_format = format;
  logger().set_pattern(
      format == Format::json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%v" : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%^%l%$ %v",
      spdlog::pattern_time_type::utc);
}
void set_level(Level level) {
  logger().set_level(spd_level(level));
}
void write(Level level, std::string_view text) {
  if (chosen_format == Format::text) return logger().log(spd_level(level), text);
  json::Object fields;
  fields["message"] = text;
  write_json(level, fields);
}
void write_event(Level level, std::string_view event, std::span<const Field> fields) {
  if (!logger().should_log(spd_level(level))) return;
  if (chosen_format == Format::json) {
    json::Object object;
    object["event"] = event;
    for (const Field& field : fields) object[field.name] = std::visit(AsJson{}, field.value);
    return write_json(level, object);
  }
  std::string text(event);
  for (const Field& field : fields) text += fmt::format(" {}={}", field.name, std::visit(AsText{}, field.value));
  logger().log(spd_level(level), text);
}

}  // namespace qn::log
