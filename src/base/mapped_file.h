// A file mapped read-only. Pages come in as they are touched and belong to the kernel's cache, not to us.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace qn {

class MappedFile {
 public:
  // errors   not_found, io; unsupported where the path is not a regular file
  static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // These pages will not be read again soon: the kernel may drop them. Contents stay readable.
  void release(std::span<const std::byte> part) const;
  // These pages are wanted soon: read ahead.
  void prefetch(std::span<const std::byte> part) const;

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace qn
