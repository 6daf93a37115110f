// A file that appears under its name only when it is whole: written beside the target, synced, renamed over it, directory synced.
// Invariant: until commit() succeeds the target is what it was before; a ReplacementFile that is dropped leaves nothing behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/result.h"

namespace qn::file {

class ReplacementFile {
 public:
  //   errors   io, with the words of the operating system; not_found: the directory
  static Result<ReplacementFile> create(const std::filesystem::path& target);

  ReplacementFile(ReplacementFile&& other) noexcept;
  ReplacementFile& operator=(ReplacementFile&& other) noexcept;
  ReplacementFile(const ReplacementFile&) = delete;
  ReplacementFile& operator=(const ReplacementFile&) = delete;
  ~ReplacementFile();

  Status write(std::span<const std::byte> bytes);
  // Room for `bytes` in all, claimed from the disk now where the file system can. What is never written reads as zeros.
  //   errors   io: the disk is full, with the number
  Status reserve(std::uint64_t bytes);
  // Beside write(), from any thread, within what is reserved; writes to other places at the same time.
  Status write_at(std::uint64_t position, std::span<const std::byte> bytes) const;
  Status commit();
  std::uint64_t position() const { return position_; }  // bytes written so far

 private:
  ReplacementFile(int fd, std::filesystem::path target, std::filesystem::path temporary);
  Status flush();
  Status write_through(std::span<const std::byte> bytes);

  int fd_ = -1;
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  std::vector<std::byte> buffer_;
  std::uint64_t position_ = 0;
};

}  // namespace qn::file
