// Any JSON as a schema: it compiles within its limits or is refused, and what is written under it is JSON.
#include <cstddef>
#include <cstdint>

#include "base/json.h"
#include "grammar_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view source{reinterpret_cast<const char*>(data), size};
  const auto schema = qn::json::parse(source);
  if (!schema || size > 4096) return 0;
  qn::text::GrammarBuilder builder(qn::fuzz::small_limits());
  const auto root = builder.json_schema(*schema, "schema");
  if (!root) return 0;
  if (const auto grammar = builder.finish(*root)) qn::fuzz::follow(*grammar, qn::fuzz::seed_of(source));
  return 0;
}
