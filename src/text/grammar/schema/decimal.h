// Numbers of a schema as decimal text without an exponent, so that bounds are compared and written digit by digit.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace qn::text::schema {

//   returns  "-12.5": no exponent, no needless zeros, "0" for zero
//   errors   bad_input: not a number; unsupported: more than 40 digits
Result<std::string> decimal_text(const json::Value& value, const std::string& path);

// Negative, 0 or positive, as a is less, equal or more.
int compare_decimals(std::string_view a, std::string_view b);

struct Decimal {
  bool negative;
  std::string whole, fraction;  // digits; fraction may be empty
};
Decimal parse_decimal(std::string_view text);

}  // namespace qn::text::schema
