#include "cli/terminal/progress.h"

#include <algorithm>
#include <utility>

#include "cli/terminal/columns.h"
#include "cli/units.h"

namespace qn::cli {
namespace {

constexpr std::chrono::milliseconds frame_time{100};
constexpr std::chrono::seconds line_time{10};  // where there is no terminal

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole >= 3600) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return whole >= 60 ? fmt::format("{} min {} s", whole / 60, whole % 60) : fmt::format("{} s", whole);
}

}  // namespace

std::string progress_line(std::string_view verb, Measure measure, std::uint64_t done, std::uint64_t total,
                          std::chrono::nanoseconds elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const double share = static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(total, 1));
  const bool bytes = measure == Measure::bytes;
  std::string line = fmt::format("{} {:3.0f}%  {} of {}", verb, share * 100, bytes ? disk_size(done) : fmt::format("{}", done),
                                 bytes ? disk_size(total) : fmt::format("{}", total));
  if (seconds <= 0 || share <= 0) return line;
  if (bytes) line += fmt::format("  {:.0f} MB/s", static_cast<double>(done) / seconds / 1e6);
  return line + fmt::format("  {} left", duration((1 - share) / share * seconds));
}

Progress::Progress(const Io& io, std::string verb, Measure measure, const Clock& clock)
    : out_(io.err),
      silent_(io.quiet),
      on_terminal_(io.err_tty && io.err_colour),
      verb_(std::move(verb)),
      measure_(measure),
      clock_(clock),
      began_(clock.now()),
      shown_(began_) {}

Progress::~Progress() {
  if (!line_is_there_) return;
  fmt::print(out_, "\r\x1b[K");
  std::fflush(out_);
}

void Progress::show(std::uint64_t done, std::uint64_t total) {
  if (silent_) return;
  const std::chrono::nanoseconds now = clock_.now();
  if (now - shown_ < (on_terminal_ ? std::chrono::nanoseconds(frame_time) : std::chrono::nanoseconds(line_time))) return;
  shown_ = now;
  std::string line = progress_line(verb_, measure_, done, total, now - began_);
  if (!on_terminal_) {
    fmt::print(out_, "{}\n", line);
    return;
  }
  const int columns = terminal_columns(out_);
  if (columns > 1 && line.size() >= static_cast<std::size_t>(columns)) line.resize(static_cast<std::size_t>(columns) - 1);
  fmt::print(out_, "\r{}\x1b[K", line);
  std::fflush(out_);
  line_is_there_ = true;
}

}  // namespace qn::cli
