#include "file/replacement_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

namespace qn::file {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr int max_names_tried = 1000;  // leftovers of earlier runs of the same process number

tl::unexpected<Error> refused(const std::filesystem::path& path, std::string_view what) {
  const int why = errno;
  return fail(Code::io, "{}: {}: {}; check the directory and the space left on the disk", quoted(path.native(), 256), what,
              std::strerror(why));
}

Status sync_directory(const std::filesystem::path& file) {
  const std::filesystem::path directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return refused(directory, "cannot be opened");
  const int synced = ::fsync(fd);
  const int why = errno;
  ::close(fd);
  errno = why;
  if (synced != 0 && why != EINVAL) return refused(directory, "cannot be synced");  // EINVAL: a file system without sync of directories
  return {};
}

}  // namespace

Result<ReplacementFile> ReplacementFile::create(const std::filesystem::path& target) {
  for (int attempt = 0; attempt < max_names_tried; ++attempt) {
    const std::filesystem::path temporary =
        target.parent_path() / fmt::format(".{}.{}-{}.part", target.filename().native(), ::getpid(), attempt);
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0) return ReplacementFile(fd, target, temporary);
    if (errno == ENOENT) return fail(Code::not_found, "{}: no such directory; make it first", quoted(target.parent_path().native(), 256));
    if (errno != EEXIST) return refused(target, "cannot be written");
  }
  return fail(Code::io, "{}: too many unfinished files beside it; remove those named *.part", quoted(target.native(), 256));
}

ReplacementFile::ReplacementFile(int fd, std::filesystem::path target, std::filesystem::path temporary)
    : fd_(fd), target_(std::move(target)), temporary_(std::move(temporary)) {
  buffer_.reserve(buffer_bytes);
}

ReplacementFile::ReplacementFile(ReplacementFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      target_(std::move(other.target_)),
      temporary_(std::move(other.temporary_)),
      buffer_(std::move(other.buffer_)),
      position_(other.position_) {}

ReplacementFile& ReplacementFile::operator=(ReplacementFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(target_, other.target_);
  std::swap(temporary_, other.temporary_);
  std::swap(buffer_, other.buffer_);
  std::swap(position_, other.position_);
  return *this;
}

ReplacementFile::~ReplacementFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

Status ReplacementFile::write(std::span<const std::byte> bytes) {
  position_ += bytes.size();
  if (buffer_.size() + bytes.size() > buffer_bytes) QN_OK(flush());
  if (bytes.size() >= buffer_bytes) return write_through(bytes);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return {};
}

Status ReplacementFile::flush() {
  QN_OK(write_through(buffer_));
  buffer_.clear();
  return {};
}

Status ReplacementFile::write_through(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused(target_, "cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status ReplacementFile::reserve(std::uint64_t bytes) {
  if (::ftruncate(fd_, static_cast<off_t>(bytes)) != 0) return refused(target_, fmt::format("cannot be made {} bytes long", bytes));
  if (::fallocate(fd_, 0, 0, static_cast<off_t>(bytes)) != 0 && errno == ENOSPC)
    return refused(target_, fmt::format("{:.1f} GB do not fit", static_cast<double>(bytes) / 1e9));
  return {};  // other errors: this file system claims room as it writes
}

Status ReplacementFile::write_at(std::uint64_t position, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused(target_, "cannot be written");
    position += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Status ReplacementFile::commit() {
  QN_OK(flush());
  if (::fsync(fd_) != 0) return refused(target_, "cannot be synced");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) return refused(target_, "cannot be put in place");
  ::close(std::exchange(fd_, -1));
  return sync_directory(target_);
}

}  // namespace qn::file
