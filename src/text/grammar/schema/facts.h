// What a JSON Schema demands of a value, as plain facts. Several schemas that all must hold (allOf, a $ref with neighbours) add to the same
// facts; subschemas stay where they are in the document, and are read when they are written.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace qn::text::schema {

struct Place {  // a subschema, and its path for messages
  const json::Value* value;
  std::string path;
};

// Everything in it must hold; an empty one demands nothing.
using Part = std::vector<Place>;

enum Type : unsigned {
  null_type = 1,
  boolean = 2,
  integer = 4,
  fraction = 8,
  string = 16,
  array = 32,
  object = 64,
  number = integer | fraction,
  any_type = 127
};

struct Bound {
  std::string digits;  // as decimal text without exponent: "-12.5"
  bool exclusive = false;
};

struct Property {
  std::string name;
  Part part;
};

struct Alternatives {  // one of these must hold as well
  std::vector<Place> places;
  bool exactly_one = false;
  std::string path;
};

struct Facts {
  std::string path;  // of the first schema that was read
  unsigned types = any_type;
  std::optional<std::vector<const json::Value*>> values;  // enum, const
  std::vector<Alternatives> alternatives;

  std::optional<Bound> minimum, maximum;
  std::optional<std::string> multiple_of;  // decimal text
  int min_length = 0;
  std::optional<int> max_length;
  std::vector<std::string> patterns;
  std::optional<std::string> format;

  int min_items = 0;
  std::optional<int> max_items;
  std::vector<Part> prefix_items;
  std::optional<Part> items;  // none: nothing said

  std::vector<Property> properties;  // in the order in which they are declared
  std::vector<std::string> required;
  std::optional<Part> additional;
  std::vector<Property> pattern_properties;
  int min_properties = 0;
  std::optional<int> max_properties;

  bool constrains_values() const;  // something beside `types` and `values`
};

class Reader {
 public:
  Reader(const json::Value& document, int depth) : document_(document), most_depth_(depth) {}

  // Adds what the schemas at these places demand.
  Status read(const Part& part, Facts& facts) { return read(part, facts, 0); }

 private:
  Status read(const Part& part, Facts& facts, int depth);
  Status read_object(const json::Object& schema, const std::string& path, Facts& facts, int depth);
  Status read_keyword(std::string_view key, const json::Value& value, const std::string& path, const json::Object& schema, Facts& facts,
                      int depth);
  Result<Place> resolve(std::string_view reference, const std::string& path);

  const json::Value& document_;
  int most_depth_;
  int reads_ = 0;  // of schemas, each time one is read
  std::map<std::string, const json::Value*, std::less<>> anchors_;
  bool anchors_found_ = false;
};

std::string child_path(const std::string& path, std::string_view key);  // "schema.properties.a", "schema.allOf[2]"
std::string child_path(const std::string& path, std::size_t index);

}  // namespace qn::text::schema
