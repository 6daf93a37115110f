// Cursor: reads a GGUF image front to back and says what is wrong where: "file: subject, field at offset N: finding; remedy".
// Invariant: a count leads to an allocation only after it was compared with the bytes left and charged to the memory budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "file/limits.h"

namespace qn::file::gguf {

// The remedies for a file that breaks a rule.
inline constexpr std::string_view cut_short = "the file is cut short or damaged, fetch it again";
inline constexpr std::string_view damaged = "the file is damaged, fetch it again";

inline constexpr std::size_t allocation_overhead = 32;  // of malloc and of the containers around it, rounded up

// What is being read, for messages: "tensor 'output.weight'", or "tensor 7" while it has no name yet.
struct Subject {
  std::string_view thing;
  std::string_view name = {};
  std::optional<std::uint64_t> number = {};
};

class Cursor {
 public:
  Cursor(std::span<const std::byte> image, std::string_view file_name, const GgufLimits& limits)
      : image_(image), in_(image), file_name_(file_name), limits_(limits) {}

  std::span<const std::byte> image() const { return image_; }
  std::string_view file_name() const { return file_name_; }
  const GgufLimits& limits() const { return limits_; }
  std::size_t position() const { return in_.position(); }
  std::size_t left() const { return in_.left(); }
  std::size_t charged_bytes() const { return charged_bytes_; }

  void about(Subject subject) { subject_ = subject; }

  template <class T>
  Result<T> take(std::string_view field) {
    if (const auto value = in_.read<T>()) return *value;
    return too_short(field, sizeof(T));
  }
  // A length and that many bytes.
  Result<std::string_view> take_text(std::string_view field, std::uint64_t max_bytes);
  Result<std::span<const std::byte>> take_bytes(std::string_view field, std::uint64_t count);

  // Counts memory against the budget, before it is allocated.
  Status charge(std::uint64_t bytes, std::string_view field);

  // `offset` is where the field begins. `finding` ends in the remedy.
  template <class... Args>
  tl::unexpected<Error> refuse(Code code, std::uint64_t offset, std::string_view field, fmt::format_string<Args...> finding,
                               Args&&... args) const {
    return refuse_text(code, offset, field, fmt::format(finding, std::forward<Args>(args)...));
  }

 private:
  tl::unexpected<Error> refuse_text(Code code, std::uint64_t offset, std::string_view field, const std::string& finding) const;
  tl::unexpected<Error> too_short(std::string_view field, std::uint64_t needed_bytes) const;

  std::span<const std::byte> image_;
  ByteReader in_;
  std::string_view file_name_;
  GgufLimits limits_;
  Subject subject_ = {"header"};
  std::size_t charged_bytes_ = 0;
};

}  // namespace qn::file::gguf
