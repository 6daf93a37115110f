// The numbers of the GGUF container that its reader and its writer share. All of it is little-endian.
//
//   magic "GGUF" · version u32 · tensors u64 · keys u64
//   keys x    { key text · type u32 · value }            value of an array: element type u32 · count u64 · elements
//   tensors x { name text · dims u32 · dims x u64 · type u32 · offset u64 }     text: bytes u64 · UTF-8
//   zeros up to the alignment · tensor data, each tensor's offset a multiple of the alignment
//
//   source   GGUF specification (ggml docs/gguf.md)
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qn::file::gguf {

inline constexpr std::string_view magic = "GGUF";
inline constexpr std::uint32_t written_version = 3;
inline constexpr std::uint64_t default_alignment = 32;
inline constexpr std::string_view alignment_key = "general.alignment";

// What follows a metadata key. MetaValue holds the same types in the same order, then arrays of them.
enum class Type : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

// The smallest things the counts of a file can stand for.
inline constexpr std::uint64_t min_key_bytes = 8 + 1 + 4 + 1;             // length, key, type, one byte of value
inline constexpr std::uint64_t min_tensor_bytes = 8 + 1 + 4 + 8 + 4 + 8;  // length, name, dims, one dimension, type, offset

constexpr std::uint64_t padding(std::uint64_t position, std::uint64_t alignment) {
  return (alignment - position % alignment) % alignment;
}

static_assert(std::endian::native == std::endian::little, "values are copied as they lie");

}  // namespace qn::file::gguf
