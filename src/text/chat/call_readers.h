// What reads the inside of a call, byte by byte: arguments alone, an object with name and arguments, or Qwen3-Coder's parameters.
// Invariant: what reaches the sink put together is one JSON object once the reader says `last`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/chat/dialect.h"
#include "text/chat/json_scan.h"

namespace qn::text {

class CallSink {  // where a call's parts go
 public:
  virtual ~CallSink() = default;
  virtual bool set_name(std::string_view name) = 0;  // false: no such function
  virtual const Tool* tool() const = 0;              // of that name; null before
  virtual void add_arguments(std::string_view piece) = 0;
};

// A JSON object, passed on as it comes.
class ArgumentsReader {
 public:
  Took feed(char byte, CallSink& sink);

 private:
  JsonScan scan_;
  bool begun_ = false;
};

// {"name": "f", "arguments": {…}}. The arguments may come first, may be called "parameters", or be a string that holds the object.
class CallObjectReader {
 public:
  explicit CallObjectReader(std::string_view arguments_key) : arguments_key_(arguments_key) {}
  Took feed(char byte, CallSink& sink);

 private:
  enum class Mode { open, key_or_end, key, in_key, colon, value, in_value, after_value };
  enum class Meaning { name, arguments, other };

  Took begin_key(char byte);
  Took begin_value(char byte, CallSink& sink);
  Took feed_value(char byte, CallSink& sink);
  bool end_value(CallSink& sink);
  bool end_object(CallSink& sink);
  bool take_name(CallSink& sink);
  bool take_arguments(CallSink& sink);

  std::string_view arguments_key_;
  Mode mode_ = Mode::open;
  Meaning meaning_ = Meaning::other;
  JsonScan scan_;
  std::string text_;        // the key or value being read, as far as it is kept
  bool streaming_ = false;  // the value goes to the sink as it comes
  bool have_arguments_ = false;
  std::string waiting_;  // arguments that came before the name
};

// <parameter=key>\nvalue\n</parameter>… up to and with </function>, made into a JSON object by the schema's types.
class ParametersReader {
 public:
  Took feed(char byte, CallSink& sink);

 private:
  enum class Mode { between, tag, key, value };

  Took read_tag(char byte, CallSink& sink);
  bool begin_value(CallSink& sink);
  void add_value(std::string_view bytes, CallSink& sink);
  void end_value(CallSink& sink);

  Mode mode_ = Mode::between;
  std::string text_;   // tag or key so far; in a value what may be the beginning of its end
  std::string value_;  // of a parameter that is no string, until its end
  unsigned types_ = 0;
  bool at_first_byte_ = false;
  std::vector<std::string> keys_;  // so far; one that comes twice is an error
};

// JSON types that a schema allows, as bits.
namespace json_type {
inline constexpr unsigned string = 1, number = 2, integer = 4, boolean = 8, null = 16, object = 32, array = 64;
}
// Of property `key` of an object's schema; `string` alone where the schema does not say.
unsigned property_types(const json::Value& schema, std::string_view key);

// A value written as plain text, as the JSON text that the types ask for.
std::string typed_json(std::string_view text, unsigned types);

}  // namespace qn::text
