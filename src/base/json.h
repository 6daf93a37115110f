// JSON text to and from values, for the layers that may see JSON (api, store, file, text). Turn it into a plain struct at once.
// Boost.JSON holds the values and keeps key order; numbers are read and printed here, exactly (shortest round-trip form).
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace qn::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

struct Limits {
  int depth = 128;
  std::size_t bytes = std::size_t{32} << 20;
};

//   errors   bad_input with the byte offset; duplicate keys, trailing text and invalid UTF-8 are errors
//   source   RFC 8259. An integer that fits int64 stays one, then uint64, then double.
Result<Value> parse(std::string_view text, const Limits& limits = {});

enum class Style {
  compact,  // {"a":1,"b":[1,2]}
  python,   // {"a": 1, "b": [1, 2]}   as json.dumps(ensure_ascii=False) prints
};
std::string print(const Value& value, Style style = Style::compact);

// The shortest text that reads back as the same double; always marks a double ("1.0", "1e+16"), as Python's repr does.
std::string print_number(double value);

}  // namespace qn::json
