// Any text as a regular expression: it compiles within its limits or is refused, and what compiles can be followed.
#include <cstddef>
#include <cstdint>

#include "grammar_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source{reinterpret_cast<const char*>(data), size};
  qn::text::GrammarBuilder builder(qn::fuzz::small_limits());
  const auto root = builder.regex(source, "regex");
  if (!root) return 0;
  if (const auto grammar = builder.finish(*root)) qn::fuzz::follow(*grammar, qn::fuzz::seed_of(source));
  return 0;
}
