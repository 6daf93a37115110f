// The table of formats, built from the registry.
#include "quant/registry.h"

#include <array>

#include "quant/describe.h"

namespace qn::quant {
namespace {

#define QN_DESCRIBE(F) describe<F>(),
constexpr auto table = std::to_array<Format>({QN_QUANT_FORMATS(QN_DESCRIBE)});
#undef QN_DESCRIBE

constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (upper(a[i]) != upper(b[i])) return false;
  return true;
}

}  // namespace

std::span<const Format> formats() {
  return table;
}

const Format* find_format(std::uint32_t gguf_type) {
  for (const Format& format : table)
    if (format.gguf_type == gguf_type) return &format;
  return nullptr;
}

const Format* find_format(std::string_view name) {
  for (const Format& format : table)
    if (same_name(format.name, name)) return &format;
  return nullptr;
}

}  // namespace qn::quant
