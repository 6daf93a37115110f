#include "cli/files/write_files.h"

#include <algorithm>
#include <system_error>

#include "base/clock.h"
#include "base/thread_pool.h"
#include "cli/terminal/interrupt.h"
#include "cli/terminal/progress.h"
#include "file/part.h"

namespace qn::cli {
namespace {

constexpr int most_threads = 4096;

}  // namespace

Status write_files(const file::Checkpoint& from, std::span<const file::OutputFile> files, std::string verb, std::optional<int> threads,
                   Io& io) {
  const int cores = usable_cores();
  if (threads && (*threads < 1 || *threads > most_threads))
    return fail(Code::bad_input, "threads: {} is out of range; give a value from 1 to {}", *threads, most_threads);
  ThreadPool pool(std::min(threads.value_or(cores), cores));
  const SteadyClock clock;
  const Interrupt interrupt;
  Progress progress(io, std::move(verb), Measure::bytes, clock);
  return file::rewrite(from, files, pool, [&](file::RewriteProgress at) {
    if (Interrupt::pending()) return file::Watch::stop;
    progress.show(at.done_bytes, at.total_bytes);
    return file::Watch::go_on;
  });
}

int failed(Io& io, const Error& error) {
  const int code = report(io, error);
  return error.code == Code::cancelled && Interrupt::ending() != 0 ? exit_signalled + Interrupt::ending() : code;
}

Status check_not_same(const std::string& in, std::span<const file::OutputFile> files) {
  const std::filesystem::path first = in;
  std::vector<std::filesystem::path> sources = {first};
  if (const auto part = file::read_part_name(first.filename().native()))
    for (std::int64_t number = 2; number <= part->count; ++number)
      sources.push_back(first.parent_path() / file::part_name(part->prefix, number, part->count));
  for (const file::OutputFile& file : files)
    for (const std::filesystem::path& source : sources) {
      std::error_code none;
      if (std::filesystem::equivalent(source, file.path, none))
        return fail(Code::bad_input, "{}: it is read; give another name to write to", quoted(file.path.native(), 256));
    }
  return {};
}

}  // namespace qn::cli
