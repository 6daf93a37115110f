// JSON Schema, a keyword at a time: what is accepted, what is not, and what is refused with the keyword's path.
#include "grammar_samples.h"

using namespace qn;
using namespace qn::text;
using namespace qn::text::samples;

namespace {

using Texts = std::vector<std::string_view>;

void accepts(std::string_view schema, const Texts& good, const Texts& bad) {
  const SharedGrammar grammar = must(from_schema(schema));
  for (const std::string_view text : good) EXPECT_TRUE(matches(*grammar, text)) << schema << " should accept " << text;
  for (const std::string_view text : bad) EXPECT_FALSE(matches(*grammar, text)) << schema << " should not accept " << text;
}

void refuses(std::string_view schema, Code code, std::string_view part_of_message) {
  const auto grammar = from_schema(schema);
  ASSERT_FALSE(grammar.has_value()) << schema;
  EXPECT_EQ(grammar.error().code, code) << grammar.error().message;
  EXPECT_NE(grammar.error().message.find(part_of_message), std::string::npos) << grammar.error().message;
}

TEST(GrammarSchema, an_empty_schema_is_any_json) {
  for (const std::string_view schema : {"{}", "true"})
    accepts(schema, {"null", "true", "-1.5e10", "\"x\\n\\u00e9é\"", "[]", "[1, [2,{}]]", "{\"a\":{\"b\": []},\"c\": null}"},
            {"", "nul", "01", "1.", "[1,]", "{a:1}", "{\"a\" :1}", "[ 1]", "\"\n\"", "\"\\ud800\"", "\"\\x\"", "1 "});
}

TEST(GrammarSchema, false_matches_nothing) {
  refuses("false", Code::bad_input, "no text matches");
}

TEST(GrammarSchema, types) {
  accepts(R"({"type": "null"})", {"null"}, {"true", "0"});
  accepts(R"({"type": "boolean"})", {"true", "false"}, {"null", "1"});
  accepts(R"({"type": "integer"})", {"0", "-7", "12345678901234567890"}, {"1.0", "1e3", "01", "--1", "123456789012345678901"});
  accepts(R"({"type": "number"})", {"0", "-0.5", "1e3", "1.25E-7"}, {".5", "1.", "+1", "1e123"});
  accepts(R"({"type": ["string", "null"]})", {"\"\"", "null"}, {"0"});
  accepts(R"({"type": "string", "nullable": true})", {"\"\"", "null"}, {"0"});
  accepts(R"({"type": "object"})", {"{}", R"({"a":[1]})"}, {"[]"});
  accepts(R"({"type": "array"})", {"[]", "[1,\"a\"]"}, {"{}"});
}

TEST(GrammarSchema, lengths_are_counted_in_characters) {
  accepts(R"({"type": "string", "minLength": 2, "maxLength": 3})", {"\"ab\"", "\"äöü\"", "\"\\n\\\"\"", "\"😀😀\"", "\"\\ud83d\\ude00x\""},
          {"\"a\"", "\"abcd\"", "\"😀\"", "\"\\ud83d\\ude00\""});
  accepts(R"({"type": "string", "maxLength": 200})", {"\"\"", "\"" + std::string(200, 'x') + "\""}, {"\"" + std::string(201, 'x') + "\""});
  accepts(R"({"type": "string", "minLength": 150})", {"\"" + std::string(150, 'x') + "\""}, {"\"" + std::string(149, 'x') + "\""});
  refuses(R"({"type": "string", "minLength": 20000})", Code::too_large, "a length of 20000");
}

TEST(GrammarSchema, patterns_are_searched_for_and_anchors_hold_them) {
  accepts(R"({"type": "string", "pattern": "b+"})", {"\"b\"", "\"abba\"", "\"x\\nb\""}, {"\"\"", "\"aca\""});
  accepts(R"({"type": "string", "pattern": "^b+$"})", {"\"b\"", "\"bb\""}, {"\"ab\"", "\"\""});
  accepts(R"x({"type": "string", "pattern": "^(a|b$)"})x", {"\"ax\"", "\"b\""}, {"\"bx\"", "\"xa\""});
  accepts(R"({"type": "string", "pattern": "^\"\\\\[\n]$"})", {R"("\"\\\n")"}, {R"("\"\\n")"});
  accepts(R"({"type": "string", "pattern": "^[^a]$"})", {"\"b\"", "\"ü\"", "\"\\\"\"", "\"\\u0001\""}, {"\"a\"", "\"\"\"", "\"bb\""});
  accepts(R"({"type": "string", "pattern": "^[a-z]+$", "maxLength": 3})", {"\"a\"", "\"abc\""}, {"\"\"", "\"abcd\""});
  accepts(R"({"type": "string", "pattern": "^[a-z]{2}\\d{3}$", "maxLength": 5})", {"\"ab123\""}, {"\"ab12\""});
  accepts(R"({"type": "string", "pattern": "^a*b*$", "minLength": 1, "maxLength": 3})", {"\"a\"", "\"abb\"", "\"bbb\""},
          {"\"\"", "\"aabb\"", "\"ba\""});
  accepts(R"({"type": "string", "pattern": "ab", "maxLength": 4})", {"\"ab\"", "\"xaby\"", "\"\\nab\""}, {"\"a\"", "\"xxaby\""});
  accepts(R"({"allOf": [{"type": "string", "pattern": "[0-9]"}, {"pattern": "[a-z]$"}, {"pattern": "^.{3,4}$"}]})", {"\"12a\"", "\"_3_z\""},
          {"\"1a\"", "\"abc\"", "\"a12\"", "\"1234a\""});
  accepts(R"({"type": "string", "format": "date", "pattern": "^20"})", {"\"2024-02-29\""}, {"\"1999-01-01\"", "\"2023-02-29\""});
  accepts(R"x({"type": "string", "pattern": "(^|x)b($|y)", "minLength": 1})x", {"\"b\"", "\"axb\"", "\"by\"", "\"xby\""},
          {"\"ab\"", "\"bz\"", "\"\""});
  refuses(R"({"type": "string", "pattern": "^(a|b)*a(a|b){20}$", "maxLength": 300})", Code::too_large, "schema.pattern: too many states");
  refuses(R"x({"type": "string", "pattern": "(?=x)"})x", Code::unsupported, "looking ahead");
}

TEST(GrammarSchema, formats) {
  accepts(R"({"type": "string", "format": "date"})", {"\"2024-02-29\"", "\"1999-12-31\"", "\"2000-02-29\""},
          {"\"2023-02-29\"", "\"1900-02-29\"", "\"2024-13-01\"", "\"2024-1-1\""});
  accepts(R"({"type": "string", "format": "time"})", {"\"23:59:59Z\"", "\"00:00:00.25+02:00\""}, {"\"24:00:00Z\"", "\"10:00:00\""});
  accepts(R"({"type": "string", "format": "date-time"})", {"\"2024-02-29T12:00:00Z\""},
          {"\"2024-02-29 12:00:00Z\"", "\"2024-02-30T12:00:00Z\""});
  accepts(R"({"type": "string", "format": "duration"})", {"\"P1Y2M3DT4H5M6S\"", "\"P3W\"", "\"PT1H\""},
          {"\"P\"", "\"PT\"", "\"P1Y2D\"", "\"1D\""});
  accepts(R"({"type": "string", "format": "uuid"})", {"\"123e4567-e89b-12d3-a456-426614174000\""},
          {"\"123e4567e89b12d3a456426614174000\""});
  accepts(R"({"type": "string", "format": "email"})", {"\"a.b+c@example.org\""}, {"\"a\"", "\"@b\"", "\".a@b\"", "\"a@-b\""});
  accepts(R"({"type": "string", "format": "ipv4"})", {"\"0.0.0.0\"", "\"255.249.199.9\""}, {"\"256.0.0.0\"", "\"1.2.3\"", "\"01.2.3.4\""});
  accepts(R"({"type": "string", "format": "ipv6"})", {"\"::\"", "\"::1\"", "\"2001:db8::8a2e:370:7334\"", "\"1:2:3:4:5:6:7:8\""},
          {"\":\"", "\"1::2::3\"", "\"1:2:3:4:5:6:7\"", "\"1:2:3:4:5:6:7:8:9\""});
  accepts(R"({"type": "string", "format": "hostname"})", {"\"a\"", "\"www.example-1.org\""}, {"\"-a\"", "\"a-\"", "\"a..b\""});
  accepts(R"({"type": "string", "format": "uri"})", {"\"https://example.org:80/a/b?c=d#e\"", "\"mailto:a@b.c\""},
          {"\"/a\"", "\"http://a b\""});
  accepts(R"({"type": "integer", "format": "int32"})", {"5"}, {"5.5"});
  refuses(R"({"type": "object", "properties": {"a": {"type": "string", "format": "colour"}}})", Code::unsupported,
          "schema.properties.a.format: unknown format");
}

TEST(GrammarSchema, bounds_of_integers) {
  accepts(R"({"type": "integer", "minimum": 5, "maximum": 123})", {"5", "9", "10", "99", "100", "119", "123"},
          {"4", "124", "05", "1000", "-5", "5.0"});
  accepts(R"({"type": "integer", "exclusiveMinimum": 0})", {"1", "20", "999999"}, {"0", "-1"});
  accepts(R"({"type": "integer", "exclusiveMaximum": 0})", {"-1", "-30"}, {"0", "1", "-0"});
  accepts(R"({"type": "integer", "minimum": -25, "maximum": 7})", {"-25", "-9", "0", "7"}, {"-26", "8", "-30"});
  accepts(R"({"type": "integer", "minimum": 0.5, "maximum": 2.5})", {"1", "2"}, {"0", "3"});
  accepts(R"({"type": "integer", "minimum": -2.5, "maximum": -0.5})", {"-1", "-2"}, {"0", "-3"});
  accepts(R"({"type": "integer", "minimum": 9007199254740993})", {"9007199254740993", "10000000000000000"}, {"9007199254740992"});
  accepts(R"({"type": "integer", "minimum": 0, "exclusiveMinimum": true})", {"1"}, {"0"});
  refuses(R"({"type": "integer", "minimum": 3, "maximum": 2})", Code::bad_input, "no text matches");
}

TEST(GrammarSchema, bounds_of_numbers) {
  accepts(R"({"type": "number", "minimum": 0, "maximum": 1})", {"0", "0.0", "0.5", "1", "1.0", "0.999"},
          {"1.01", "-0.1", "2", "1.", "-1", "1e0"});
  accepts(R"({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1})", {"0.5", "0.001", "0.999"},
          {"0", "0.0", "0.000", "1", "1.0"});
  accepts(R"({"type": "number", "minimum": 1.25, "maximum": 1.75})", {"1.25", "1.250", "1.3", "1.7", "1.75", "1.6999"},
          {"1.2", "1.249", "1", "2", "1.751", "1.76"});
  accepts(R"({"type": "number", "minimum": -1.5, "maximum": 2.5})", {"-1.5", "-1", "-0.3", "0", "2.5", "2"}, {"-1.51", "-2", "2.51", "3"});
  accepts(R"({"type": "number", "minimum": 10})", {"10", "10.5", "11", "99999"}, {"9", "9.9", "-10"});
  accepts(R"({"type": "number", "exclusiveMinimum": 10})", {"10.1", "11"}, {"10", "10.0"});
  accepts(R"({"type": "number", "maximum": -3.5})", {"-3.5", "-4", "-3.6", "-10.1"}, {"-3.4", "-3", "0", "4"});
}

TEST(GrammarSchema, multiples) {
  accepts(R"({"type": "integer", "multipleOf": 7})", {"0", "7", "14", "-21", "700"}, {"1", "8", "07", "-0"});
  accepts(R"({"type": "integer", "multipleOf": 5, "minimum": 3, "maximum": 22})", {"5", "10", "20"}, {"0", "25", "3"});
  accepts(R"({"type": "number", "multipleOf": 0.01, "minimum": 0})", {"1", "1.2", "1.25"}, {"1.255", "-1"});
  refuses(R"({"type": "number", "multipleOf": 0.3})", Code::unsupported, "multipleOf 0.3");
}

TEST(GrammarSchema, enum_and_const) {
  accepts(R"({"enum": ["a", 1, null, [1, 2], {"x": true}]})", {"\"a\"", "1", "null", "[1,2]", "[1, 2]", R"({"x": true})"},
          {"\"b\"", "2", "[1]"});
  accepts(R"({"const": "say \"hi\""})", {R"("say \"hi\"")"}, {"\"say\""});
  accepts(R"({"type": "string", "enum": ["a", 1, "bcd"], "maxLength": 2})", {"\"a\""}, {"1", "\"bcd\""});
  refuses(R"({"type": "string", "enum": [1]})", Code::bad_input, "no text matches");
}

TEST(GrammarSchema, properties_come_as_declared_and_may_be_left_out_unless_required) {
  constexpr std::string_view schema =
      R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "null"}}, "required": ["b"]})";
  accepts(schema, {R"({"a":1,"b":"x","c":null})", R"({"b": "x"})", R"({"a": 1, "b": "x"})", R"({"b":"x", "c": null})"},
          {"{}", R"({"a":1})", R"({"b":"x","a":1})", R"({"b":"x","d":1})", R"({,"b":"x"})", R"({"b":"x",})", R"({"b":1})"});
  accepts(R"({"properties": {"a": {}, "b": {"type": "null"}}, "type": "object"})",
          {"{}", R"({"a":1})", R"({"b":null})", R"({"a":[],"b":null})"}, {R"({"b":null,"a":1})", R"({,"b":null})"});
}

TEST(GrammarSchema, additional_properties) {
  accepts(
      R"({"type": "object", "properties": {"ab": {"type": "integer"}}, "additionalProperties": {"type": "string"}, "required": ["ab"]})",
      {R"({"ab":1})", R"({"ab":1,"x":"y"})", R"({"ab":1,"a":"y","abc":"z","":"q"})"},
      {R"({"ab":1,"x":2})", R"({"ab":1,"ab":"y"})", R"({"x":"y"})", R"({"ab":1,"\u0061b":"y"})"});
  accepts(R"({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": true})",
          {"{}", R"({"a":1})", R"({"z":[]})", R"({"a":1,"z":{}})"}, {R"({"a":"x"})", R"({"z":1,"a":1})"});
  accepts(R"({"type": "object", "additionalProperties": {"type": "integer"}})", {"{}", R"({"x":1,"y":2})"}, {R"({"x":"1"})"});
  accepts(R"({"type": "object", "additionalProperties": false})", {"{}"}, {R"({"x":1})"});
  accepts(R"({"type": "object", "required": ["k"]})", {R"({"k":1})", R"({"k":1,"l":2})"}, {"{}", R"({"l":1})"});
  accepts(R"({"type": "object", "minProperties": 1, "maxProperties": 2})", {R"({"k":1})", R"({"k":1,"l":2})"},
          {"{}", R"({"k":1,"l":2,"m":3})"});
  accepts(R"({"type": "object", "patternProperties": {"^x-[a-z]+$": {"type": "integer"}}, "additionalProperties": false})",
          {"{}", R"({"x-a":1,"x-bc":2})"}, {R"({"y":1})", R"({"x-a":""})"});
}

TEST(GrammarSchema, arrays) {
  accepts(R"({"type": "array", "items": {"type": "integer"}})", {"[]", "[1]", "[1, 2,3]"}, {"[\"a\"]", "[1,]", "[,1]", "[1  ,2]"});
  accepts(R"({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3})", {"[1,2]", "[1,2,3]"},
          {"[]", "[1]", "[1,2,3,4]"});
  accepts(R"({"type": "array", "items": {"type": "null"}, "minItems": 1, "maxItems": 60})", {"[null]"}, {"[]"});
  accepts(R"({"type": "array", "maxItems": 0})", {"[]"}, {"[1]"});
  accepts(R"({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false})", {"[]", "[1]", "[1,\"a\"]"},
          {"[1,\"a\",2]", "[\"a\"]"});
  accepts(R"({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": {"type": "null"}, "minItems": 2})",
          {"[1,\"a\"]", "[1,\"a\",null,null]"}, {"[1]", "[1,\"a\",1]"});
  accepts(R"({"type": "array", "items": [{"type": "integer"}], "additionalItems": false})", {"[1]", "[]"}, {"[1,2]"});
}

TEST(GrammarSchema, references_and_recursion) {
  accepts(
      R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"v": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["v", "next"]}}})",
      {R"({"v":1,"next":null})", R"({"v":1,"next":{"v":2,"next":{"v":3,"next":null}}})"}, {R"({"v":1})", R"({"v":1,"next":{"v":2}})"});
  accepts(R"({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}, "required": ["children"]})",
          {R"({"children":[]})", R"({"children":[{"children":[]}]})"}, {"{}"});
  accepts(R"({"$ref": "#/$defs/a~1b%25", "$defs": {"a/b%": {"const": 1}}})", {"1"}, {"2"});
  accepts(R"({"$ref": "#here", "$defs": {"x": {"$anchor": "here", "const": 1}}})", {"1"}, {"2"});
  refuses(R"({"$ref": "#/$defs/x"})", Code::bad_input, "schema.$ref: '#/$defs/x' leads to nothing");
  refuses(R"({"$ref": "other.json"})", Code::unsupported, "another document");
  refuses(R"({"$ref": "#"})", Code::too_large, "leads to itself");
  refuses(R"({"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}})",
          Code::bad_input, "no text matches");
}

TEST(GrammarSchema, combinations) {
  accepts(R"({"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]})", {"1", "\"a\""}, {"\"ab\"", "null"});
  accepts(
      R"({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "anyOf": [{"properties": {"b": {"type": "null"}}, "required": ["b"]}, {"properties": {"c": {"type": "null"}}, "required": ["c"]}]})",
      {R"({"a":1,"b":null})", R"({"a":1,"c":null})"}, {R"({"a":1})", R"({"b":null})"});
  accepts(
      R"({"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"type": "string"}, "a": {"minimum": 5}}, "required": ["b"]}]})",
      {R"({"a":5,"b":""})"}, {R"({"a":4,"b":""})", R"({"a":5})"});
  accepts(R"({"allOf": [{"type": ["integer", "string"]}, {"type": ["number", "null"]}, {"maximum": 3}]})", {"3", "-8"},
          {"3.5", "4", "null", "\"\""});
  accepts(
      R"({"oneOf": [{"type": "object", "properties": {"k": {"const": "a"}, "x": {"type": "integer"}}, "required": ["k", "x"]}, {"type": "object", "properties": {"k": {"const": "b"}}, "required": ["k"]}]})",
      {R"({"k":"a","x":1})", R"({"k":"b"})"}, {R"({"k":"b","x":1})", R"({"k":"a"})"});
  refuses(R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", Code::unsupported, "schema.oneOf: alternatives 0 and 1 may both hold");
}

TEST(GrammarSchema, what_cannot_be_enforced_is_refused_by_name_and_path) {
  refuses(R"({"type": "object", "properties": {"x": {"not": {"type": "null"}}}})", Code::unsupported,
          "schema.properties.x.not: the keyword not is not supported");
  refuses(R"({"type": "array", "uniqueItems": true})", Code::unsupported, "schema.uniqueItems");
  refuses(R"({"type": "array", "contains": {}})", Code::unsupported, "contains");
  refuses(R"({"type": "object", "propertyNames": {}})", Code::unsupported, "propertyNames");
  refuses(R"({"if": {}})", Code::unsupported, "schema.if");
  refuses(R"({"type": "string", "maxLenght": 3})", Code::unsupported, "unknown keyword 'maxLenght'");
  refuses(R"({"type": "text"})", Code::bad_input, "schema.type: 'text' is no type");
  refuses(R"({"type": "string", "maxLength": "3"})", Code::bad_input, "schema.maxLength: expected an integer");
  refuses(R"({"properties": []})", Code::bad_input, "schema.properties: expected an object");
  refuses("5", Code::bad_input, "expected a schema");
}

TEST(GrammarSchema, annotations_are_let_be) {
  accepts(
      R"({"type": "null", "title": "t", "description": "d", "default": 1, "examples": [2], "$schema": "s", "$id": "i", "$comment": "c", "deprecated": true, "readOnly": true, "x-anything": 3})",
      {"null"}, {});
}

}  // namespace
