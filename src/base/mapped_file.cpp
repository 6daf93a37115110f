#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace qn {
namespace {

struct FileDescriptor {
  int fd;
  ~FileDescriptor() {
    if (fd >= 0) ::close(fd);
  }
};

// The whole pages inside `part`: advice on a partial page would also concern its neighbours.
void advise(std::span<const std::byte> part, int advice) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(part.data()) + part.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) {
    const int why = errno;
    if (why == ENOENT || why == ENOTDIR) return fail(Code::not_found, "{}: no such file; check the path", quoted(path.native(), 256));
    return fail(Code::io, "{}: cannot be opened: {}; check its permissions", quoted(path.native(), 256), std::strerror(why));
  }
  struct stat info {};
  if (::fstat(file.fd, &info) != 0)
    return fail(Code::io, "{}: {}; check the file system", quoted(path.native(), 256), std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return fail(Code::unsupported, "{}: not a regular file; give the path of a file", quoted(path.native(), 256));
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED)
    return fail(Code::io, "{}: cannot be mapped ({} bytes): {}; is the address space limited?", quoted(path.native(), 256), size,
                std::strerror(errno));
  return MappedFile(static_cast<const std::byte*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  advise(part, MADV_DONTNEED);
}
void MappedFile::prefetch(std::span<const std::byte> part) const {
  advise(part, MADV_WILLNEED);
}

}  // namespace qn
