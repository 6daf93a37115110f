#include "cli/state_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace qn::cli {
namespace {

using File = std::unique_ptr<std::FILE, decltype([](std::FILE* file) { std::fclose(file); })>;

}  // namespace

std::filesystem::path state_directory() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') return std::filesystem::path(state) / "quern";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return std::filesystem::path(home) / ".local/state/quern";
  return {};
}

Result<std::string> read_small_file(const std::filesystem::path& path, std::size_t most) {
  // Opened without waiting, so that a pipe or a device is refused rather than waited for.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const Code code = errno == ENOENT || errno == ENOTDIR ? Code::not_found : Code::io;
    return fail(code, "{}: {}", path.string(), std::strerror(errno));
  }
  const File file(::fdopen(descriptor, "r"));
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) return fail(Code::bad_input, "{}: not a regular file", path.string());
  if (static_cast<std::uint64_t>(facts.st_size) > most)
    return fail(Code::too_large, "{}: {} bytes, at most {} accepted", path.string(), facts.st_size, most);
  std::string text(static_cast<std::size_t>(facts.st_size), '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

Status replace_file(const std::filesystem::path& path, std::string_view text) {
  std::error_code ignored;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  const std::string beside = path.string() + ".new";
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return fail(Code::io, "{}: {}; check that its folder can be written", path.string(), std::strerror(errno));
  const File file(::fdopen(descriptor, "w"));
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() && std::fflush(file.get()) == 0 &&
                       ::fsync(descriptor) == 0 && std::rename(beside.c_str(), path.c_str()) == 0;
  if (written) return {};
  const int reason = errno;
  ::unlink(beside.c_str());
  return fail(Code::io, "{}: {}; nothing was changed", path.string(), std::strerror(reason));
}

}  // namespace qn::cli
