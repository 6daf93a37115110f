// Any bytes as JSON: an error that says something, or a value that is the same after printing and reading it again, in both styles.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"

using namespace qn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto value = json::parse(text);
  if (!value) {
    QN_CHECK(!value.error().message.empty() && utf8::is_valid(value.error().message), "an error says something");
    return 0;
  }
  for (const json::Style style : {json::Style::compact, json::Style::python}) {
    const auto again = json::parse(json::print(*value, style));
    QN_CHECK(again && *again == *value, "printing loses nothing");
  }
  return 0;
}
