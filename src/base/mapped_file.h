// The bytes of a file: mapped read-only, so that pages come in as they are touched and belong to the kernel's cache, or read into memory
// of our own.
// Mapped bytes are the file's: who shortens it while they are in use takes them away. That is a SIGBUS, and the end of the program
// (cli/bus_error.h says so to the user), unless survive_lost_bytes() was called: then zeros stand in their place, and lost() says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

#include "base/result.h"

namespace qn {

enum class Residence { mapped, read_in };

// What a file was when it was opened, to be compared with what its path leads to later.
struct FileStamp {
  std::uint64_t device = 0, inode = 0, bytes = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileStamp&) const = default;
  bool same_file(const FileStamp& other) const { return device == other.device && inode == other.inode; }
};
std::optional<FileStamp> stamp_of(const std::filesystem::path& path);  // none where there is no such file

// From here on, in every thread: reading mapped bytes that the file no longer has gives zeros, and lost() of that map is true. Meant for
// servers, whose other models go on. Any other SIGBUS ends the program as before.
void survive_lost_bytes();

class MappedFile {
 public:
  //   errors   not_found, io; unsupported where the path is not a regular file; read_in: out_of_memory
  static Result<MappedFile> open(const std::filesystem::path& path, Residence residence = Residence::mapped);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  Residence residence() const { return residence_; }
  const FileStamp& stamp() const { return stamp_; }
  bool lost() const;          // some bytes were gone when they were wanted: what was computed from them since is worth nothing
  void declare_lost() const;  // somebody knows otherwise that they are no longer what they were

  // These bytes will not be read again soon: the kernel may drop them. They stay readable.
  void release(std::span<const std::byte> part) const;
  // Brings these bytes into memory, and returns when they are there or cannot be.
  void prefetch(std::span<const std::byte> part) const;
  // Brings these bytes into memory and keeps them from being paged out.
  //   errors   out_of_memory: the limit on locked memory
  Status lock(std::span<const std::byte> part) const;

 private:
  MappedFile(const std::byte* data, std::size_t size, Residence residence, const FileStamp& stamp);
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Residence residence_ = Residence::mapped;
  FileStamp stamp_;
  int guard_ = -1;  // where lost_bytes.cpp keeps account of it; negative: nowhere
};

}  // namespace qn
