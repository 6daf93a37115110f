// Characters as Python's str sees them: code points, white space, case. Strings are valid UTF-8 throughout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qn::text::jinja {

std::int64_t count_code_points(std::string_view text);

// Byte offset of code point `index`; text.size() when it is past the end.
std::size_t offset_of(std::string_view text, std::int64_t index);

bool is_space(char32_t c);    // str.isspace
bool ends_line(char32_t c);   // a boundary for str.splitlines; "\r\n" is one boundary
bool is_alpha(char32_t c);    // str.isalpha
bool is_decimal(char32_t c);  // str.isdecimal
bool is_digit(char32_t c);    // str.isdigit: decimals, superscripts and the like
bool is_numeric(char32_t c);  // str.isnumeric: category N*
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_title(char32_t c);
bool is_cased(char32_t c);
bool is_printable(char32_t c);  // repr shows it as it is
bool is_word(char32_t c);       // \w of a regular expression
bool starts_identifier(char32_t c);
bool continues_identifier(char32_t c);

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);        // str.title
std::string to_swapped(std::string_view text);      // str.swapcase
std::string to_capitalized(std::string_view text);  // str.capitalize

// Without the characters of `set` at its ends; a null set means white space.
enum class Side { left, right, both };
std::string_view strip(std::string_view text, Side side, const std::string_view* set = nullptr);

}  // namespace qn::text::jinja
