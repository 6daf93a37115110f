#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/lost_bytes.h"
#include "base/thread_pool.h"

namespace qn {
namespace {

struct FileDescriptor {
  int fd;
  ~FileDescriptor() {
    if (fd >= 0) ::close(fd);
  }
};

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t read_at_once = std::size_t{8} << 20;
constexpr int populate_read = 22;  // MADV_POPULATE_READ, Linux 5.14; older headers lack it

std::uintptr_t page_bytes() {
  return static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
}

// The whole pages inside `part`: advice on a partial page would also concern its neighbours.
bool advise(std::span<const std::byte> part, int advice) {
  const std::uintptr_t page = page_bytes();
  const auto begin = (reinterpret_cast<std::uintptr_t>(part.data()) + page - 1) / page * page;
  const auto end = (reinterpret_cast<std::uintptr_t>(part.data()) + part.size()) / page * page;
  return begin >= end || ::madvise(reinterpret_cast<void*>(begin), end - begin, advice) == 0;
}

// All of [at, at + size) of the file; false with errno at an error, or 0 where the file has become shorter.
bool read_fully(int fd, std::byte* to, std::size_t size, std::size_t at) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = 0;
    if (got <= 0) return false;
    to += got, at += static_cast<std::size_t>(got), size -= static_cast<std::size_t>(got);
  }
  return true;
}

FileStamp stamp_of(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .bytes = static_cast<std::uint64_t>(info.st_size),
          .modified_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

// Several readers at once: one cannot copy as fast as memory goes, and a disk likes a queue. Returns errno of what failed, -1 for a file
// that has become shorter, 0 where all went well.
int read_in_parts(int fd, std::byte* to, std::size_t size) {
  const int parts = static_cast<int>((size + read_at_once - 1) / read_at_once);
  ThreadPool readers(std::clamp(usable_cores(), 1, std::max(parts, 1)));
  std::atomic<int> failed{0};
  readers.for_parts(parts, 1, [&](int, int begin, int end) {
    for (int part = begin; part < end && failed == 0; ++part) {
      const std::size_t at = static_cast<std::size_t>(part) * read_at_once;
      if (!read_fully(fd, to + at, std::min(read_at_once, size - at), at)) failed = errno != 0 ? errno : -1;
    }
  });
  return failed;
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path, Residence residence) {
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
  if (size == 0) return MappedFile(nullptr, 0, residence, stamp_of(info));
  const bool copies = residence == Residence::read_in;
  void* data = copies ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                      : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (data == MAP_FAILED && copies)
    return fail(Code::out_of_memory, "{}: {} bytes of memory for it are refused: {}; leave out --no-mmap", quoted(path.native(), 256), size,
                std::strerror(errno));
  if (data == MAP_FAILED)
    return fail(Code::io, "{}: cannot be mapped ({} bytes): {}; is the address space limited?", quoted(path.native(), 256), size,
                std::strerror(errno));
  MappedFile opened(static_cast<const std::byte*>(data), size, residence, stamp_of(info));
  // Of a file too: what is not in the kernel's cache yet comes in pages of 2 MiB then, and stays so for the next program that maps it.
  if (size >= huge_page) advise(opened.bytes(), MADV_HUGEPAGE);
  if (!copies) return opened;
  if (const int failed = read_in_parts(file.fd, static_cast<std::byte*>(data), size); failed != 0)
    return fail(Code::io, "{}: cannot be read: {}; check the file system", quoted(path.native(), 256),
                failed > 0 ? std::strerror(failed) : "it has become shorter");
  return opened;
}

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return stamp_of(info);
}

MappedFile::MappedFile(const std::byte* data, std::size_t size, Residence residence, const FileStamp& stamp)
    : data_(data), size_(size), residence_(residence), stamp_(stamp) {
  if (size_ > 0 && residence_ == Residence::mapped) guard_ = lost_bytes::guard({data_, size_});
}

bool MappedFile::lost() const {
  return guard_ >= 0 && lost_bytes::found(guard_);
}

void MappedFile::declare_lost() const {
  if (guard_ >= 0) lost_bytes::declare(guard_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      residence_(other.residence_),
      stamp_(other.stamp_),
      guard_(std::exchange(other.guard_, -1)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(residence_, other.residence_);
  std::swap(stamp_, other.stamp_);
  std::swap(guard_, other.guard_);
  return *this;
}

MappedFile::~MappedFile() {
  if (guard_ >= 0) lost_bytes::forget(guard_);
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (residence_ == Residence::mapped) advise(part, MADV_DONTNEED);
}

void MappedFile::prefetch(std::span<const std::byte> part) const {
  if (!advise(part, populate_read)) advise(part, MADV_WILLNEED);
}

Status MappedFile::lock(std::span<const std::byte> part) const {
  if (part.empty() || ::mlock(part.data(), part.size()) == 0) return {};
  const int why = errno;
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  if (why == ENOMEM || why == EPERM || why == EAGAIN)
    return fail(Code::out_of_memory,
                "{} bytes cannot be kept in memory: the limit on locked memory (RLIMIT_MEMLOCK) is {} bytes; raise it with "
                "ulimit -l, or LimitMEMLOCK= of the service",
                part.size(), limit.rlim_cur);
  return fail(Code::io, "{} bytes cannot be kept in memory: {}; leave out --mlock", part.size(), std::strerror(why));
}

}  // namespace qn
