#include "cli/chat/statistics.h"

#include "base/result.h"

namespace qn::cli {
namespace {

// value / 10^digits without trailing zeros: (25025959, 6) is "25.025959".
std::string fraction(std::int64_t value, int digits) {
  std::int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  std::string text = fmt::format("{}", value / unit);
  if (value % unit == 0) return text;
  std::string decimals = fmt::format("{:0{}}", value % unit, digits);
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return text + "." + decimals;
}

double per_second(int count, std::chrono::nanoseconds time) {
  return count / std::chrono::duration<double>(time).count();
}

}  // namespace

std::string go_duration(std::chrono::nanoseconds duration) {
  std::int64_t ns = duration.count();
  if (ns == 0) return "0s";
  if (ns < 0) return "-" + go_duration(-duration);
  if (ns < 1000) return fmt::format("{}ns", ns);
  if (ns < 1'000'000) return fraction(ns, 3) + "µs";
  if (ns < 1'000'000'000) return fraction(ns, 6) + "ms";
  constexpr std::int64_t minute = 60'000'000'000;
  std::string text;
  const std::int64_t minutes = ns / minute;
  if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
  if (minutes > 0) text += fmt::format("{}m", minutes % 60);
  return text + fraction(ns % minute, 9) + "s";
}

void print_statistics(std::FILE* out, const serve::ReplyStats& stats, std::chrono::nanoseconds load) {
  const auto line = [out](std::string_view label, const std::string& value) { fmt::print(out, "{:<22}{}\n", label, value); };
  const auto time = [&line](std::string_view label, std::chrono::nanoseconds value) {
    if (value.count() > 0) line(label, go_duration(value));
  };
  const auto tokens = [&line](std::string_view label, int count) {
    if (count > 0) line(label, fmt::format("{} token(s)", count));
  };
  const auto rate = [&line](std::string_view label, int count, std::chrono::nanoseconds value) {
    if (count > 0 && value.count() > 0) line(label, fmt::format("{:.2f} tokens/s", per_second(count, value)));
  };
  time("total duration:", stats.total + load);
  time("load duration:", load);
  tokens("prompt eval count:", stats.prompt_tokens);
  time("prompt eval duration:", stats.prompt_eval);
  rate("prompt eval rate:", stats.prompt_tokens - stats.cached_tokens, stats.prompt_eval);
  tokens("eval count:", stats.reply_tokens);
  time("eval duration:", stats.eval);
  rate("eval rate:", stats.reply_tokens, stats.eval);
  tokens("cached tokens:", stats.cached_tokens);
  time("time to first token:", stats.first_token);
}

}  // namespace qn::cli
