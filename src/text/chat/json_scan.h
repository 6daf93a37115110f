// JsonScan: one JSON value read byte by byte, to know where it ends before anything is parsed.
// Invariant: a value is accepted exactly if RFC 8259 has it, but for control characters in strings: models write line ends there, and
// whoever passes the bytes on escapes them.
#pragma once

#include <string>
#include <string_view>

namespace qn::text {

enum class Took {
  part,   // the byte belongs to it, and more must come
  last,   // the byte ends it
  after,  // it ended before this byte, which is not part of it
  bad,    // with this byte it is no such thing
};

bool is_json_space(char byte);

// Appends a byte of a string's content as it stands in JSON text: quotes, backslashes and control characters escaped.
void escape_into(std::string& out, char byte);
std::string quoted_json(std::string_view text);  // as a JSON string, quotes included

class JsonScan {
 public:
  Took feed(char byte);                                     // white space before the value is part of it
  bool in_string() const { return mode_ == Mode::string; }  // a control character here has to be escaped

 private:
  enum class Mode {
    value,
    value_or_end,  // after [
    key_or_end,    // after {
    key,
    colon,
    comma_or_end,
    string,
    escape,
    hex,
    literal,
    minus,
    zero,
    whole,
    point,
    fraction,
    exponent,
    exponent_sign,
    exponent_digits,
    over,
  };
  static constexpr std::size_t max_depth = 128;

  Took begin_value(char byte);
  Took end_value();
  Took close(char byte);
  Took number(char byte);
  bool number_may_end() const;

  Mode mode_ = Mode::value;
  std::string open_;            // brackets, outermost first
  bool string_is_key_ = false;  // of the string being read
  int hex_left_ = 0;
  std::string_view literal_left_;
};

}  // namespace qn::text
