// Fields: the fields of a JSON object, taken one by one, each with its type and range. The first mistake is kept and everything after
// it reads as absent, so an endpoint reads all its fields and asks once. What nobody took is reported: nothing is dropped in silence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace qn::api {

struct Warning {
  std::string param, action, detail;  // action: ignored, clamped, deprecated
};
json::Array to_json(const std::vector<Warning>& warnings);

// What came of reading a request.
struct Reading {
  std::optional<Error> error;
  std::string param;  // the field at fault: "messages[2].content"
  std::vector<Warning> warnings;

  void refuse(std::string_view param, Code code, std::string message);
  void warn(std::string_view param, std::string_view action, std::string_view detail);
};

class Fields {
 public:
  //   object   borrowed; null: every field is absent
  //   path     before each name in messages: "options"
  //   spelling how a wrong type is said
  enum class Spelling { plain, ollama_option };
  Fields(const json::Object* object, std::string path, Reading& reading, Spelling spelling = Spelling::plain);

  // Absent where the field is missing or null, or after a mistake.
  std::optional<bool> boolean(std::string_view name);
  std::optional<double> number(std::string_view name, double low, double high);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high);
  std::optional<std::string> text(std::string_view name);
  const json::Array* array(std::string_view name, std::size_t most = 1 << 20);
  const json::Object* object(std::string_view name);
  const json::Value* any(std::string_view name);
  std::optional<std::vector<std::string>> texts(std::string_view name, std::size_t most, std::size_t longest);  // one, or a list
  std::optional<std::vector<std::int64_t>> integers(std::string_view name, std::size_t most, std::int64_t low, std::int64_t high);

  bool has(std::string_view name) const;  // there and not null; does not take it
  void require(std::string_view name);    // refuses where it is missing

  // Takes a field that has no effect here; a warning where it is there.
  void ignore(std::string_view name, std::string_view why);
  void skip(std::string_view name) { taken_.emplace_back(name); }  // read elsewhere

  void warn_of_the_rest();  // whatever nobody took

  std::string path_of(std::string_view name) const;
  Reading& reading() { return reading_; }

 private:
  const json::Value* take(std::string_view name);
  void wrong_type(std::string_view name, std::string_view expected);

  const json::Object* object_;
  std::string path_;
  Reading& reading_;
  Spelling spelling_;
  std::vector<std::string> taken_;
};

}  // namespace qn::api
