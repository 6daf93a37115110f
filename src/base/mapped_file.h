// The bytes of a file: mapped read-only, so that pages come in as they are touched and belong to the kernel's cache, or read into memory
// of our own.
// Mapped bytes are the file's: who shortens it while they are in use takes them away (cli/bus_error.h says so to the user).
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace qn {

enum class Residence { mapped, read_in };

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

  // These bytes will not be read again soon: the kernel may drop them. They stay readable.
  void release(std::span<const std::byte> part) const;
  // Brings these bytes into memory, and returns when they are there or cannot be.
  void prefetch(std::span<const std::byte> part) const;
  // Brings these bytes into memory and keeps them from being paged out.
  //   errors   out_of_memory: the limit on locked memory
  Status lock(std::span<const std::byte> part) const;

 private:
  MappedFile(const std::byte* data, std::size_t size, Residence residence) : data_(data), size_(size), residence_(residence) {}
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  Residence residence_ = Residence::mapped;
};

}  // namespace qn
