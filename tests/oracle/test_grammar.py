"""Quern's JSON Schemas against Python's `jsonschema`, and its regular expressions against `re`.

Random walks under a schema, token by token through the masks, must end in text that json.loads reads and that validates; known good values,
printed compactly and with spaces, must be accepted, and bad ones not. Walks go over a vocabulary of bytes and over Qwen's.
"""

import json
import os
import pathlib
import random
import re
import subprocess

import jsonschema
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release")) / "tests" / "oracle_grammar"
QWEN = REPOSITORY.parent / "shared" / "data" / "qwen2.5" / "tokenizer.json"


def ask(requests: list[dict], tokenizer: str = "-") -> list[dict]:
    sent = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([str(PROGRAM), tokenizer], input=sent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.rstrip("\n").split("\n")]
    assert len(answers) == len(requests)
    return answers


def validator(schema):
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def prints(value) -> list[str]:
    return [json.dumps(value, ensure_ascii=False, separators=separators) for separators in ((",", ":"), (", ", ": "))]


def closed(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


S, I, N, B = ({"type": name} for name in ("string", "integer", "number", "boolean"))

# name, schema, good values, bad values
SCHEMAS = [
    ("any", {}, [None, 1, "x", [1, {"a": []}], {"a": {"b": 1.5}}], []),
    ("string", S, ["", "a\"b\\c\n\t\u0001", "日本語 😀"], [1, None]),
    ("integer", I, [0, -5, 10**18], [1.5, "1"]),
    ("number", N, [0, 1.5, -2.25, 1e-7], ["1"]),
    ("boolean", B, [True, False], [0]),
    ("null", {"type": "null"}, [None], [False]),
    ("array", {"type": "array"}, [[], [1, "a", None]], [{}]),
    ("object", {"type": "object"}, [{}, {"a": 1, "b": {"c": []}}], [[]]),
    ("types", {"type": ["string", "number", "null"]}, ["x", 1.5, None], [True]),
    ("calendar event", closed(name=S, date=S, participants={"type": "array", "items": S}), [{"name": "Fair", "date": "Friday", "participants": ["Alice", "Bob"]}], [{"name": "x"}]),
    ("math reasoning", closed(steps={"type": "array", "items": closed(explanation=S, output=S)}, final_answer=S), [{"steps": [{"explanation": "e", "output": "o"}], "final_answer": "42"}], [{"steps": [{}], "final_answer": ""}]),
    ("research paper", closed(title=S, authors={"type": "array", "items": S}, abstract=S, keywords={"type": "array", "items": S}), [{"title": "t", "authors": ["a"], "abstract": "", "keywords": []}], []),
    ("ui", {"$defs": {"node": closed(type={"type": "string", "enum": ["div", "button", "header", "section", "field", "form"]}, label=S, children={"type": "array", "items": {"$ref": "#/$defs/node"}}, attributes={"type": "array", "items": closed(name=S, value=S)})}, "$ref": "#/$defs/node"},
     [{"type": "form", "label": "l", "children": [{"type": "field", "label": "x", "children": [], "attributes": []}], "attributes": [{"name": "a", "value": "b"}]}], [{"type": "span", "label": "", "children": [], "attributes": []}]),
    ("ui at the root", closed(type={"enum": ["div", "button"]}, children={"type": "array", "items": {"$ref": "#"}}), [{"type": "div", "children": [{"type": "button", "children": []}]}], [{"type": "div"}]),
    ("moderation", closed(is_violating=B, category={"type": ["string", "null"], "enum": ["violence", "sexual", "self_harm", None]}, explanation_if_violating={"type": ["string", "null"]}), [{"is_violating": True, "category": None, "explanation_if_violating": "x"}], [{"is_violating": True, "category": "other", "explanation_if_violating": None}]),
    ("linked list", {"$defs": {"linked_list_node": closed(value=N, next={"anyOf": [{"$ref": "#/$defs/linked_list_node"}, {"type": "null"}]})}, **closed(linked_list={"$ref": "#/$defs/linked_list_node"})}, [{"linked_list": {"value": 1, "next": {"value": 2.5, "next": None}}}], [{"linked_list": None}]),
    ("anyOf of objects", closed(item={"anyOf": [closed(name=S, age=I), closed(number=S, street=S, city=S)]}), [{"item": {"name": "n", "age": 3}}, {"item": {"number": "1", "street": "s", "city": "c"}}], [{"item": {"name": "n", "city": "c"}}]),
    ("constraints of strict mode", closed(name=S, username={"type": "string", "pattern": "^@[a-zA-Z0-9_]+$"}, email={"type": "string", "format": "email"}), [{"name": "n", "username": "@a_1", "email": "a@b.org"}], [{"name": "n", "username": "a", "email": "a@b.org"}]),
    ("weather", closed(location=S, unit={"type": ["string", "null"], "enum": ["F", "C", None]}), [{"location": "Paris", "unit": "C"}, {"location": "", "unit": None}], [{"location": "x", "unit": "K"}]),
    ("temperature", closed(temperature={"type": "number", "minimum": -130, "maximum": 130}), [{"temperature": -130}, {"temperature": 129.99}, {"temperature": 0}], [{"temperature": 130.5}, {"temperature": -131}]),
    ("min 1", {"type": "integer", "minimum": 1}, [1, 9, 10, 12345], [0, -1]),
    ("min 0", {"type": "integer", "minimum": 0}, [0, 10, 12], [-1]),
    ("min 3", {"type": "integer", "minimum": 3}, [3, 4, 10, 20, 1234567890], [0, 2, -1]),
    ("min 25", {"type": "integer", "minimum": 25}, [25, 26, 30, 99, 100, 1234567890], [0, 9, 24, -25]),
    ("min -123", {"type": "integer", "minimum": -123}, [-123, -100, -10, 0, 1, 12345], [-1234, -124]),
    ("max 30", {"type": "integer", "maximum": 30}, [30, 0, -1000, 9, 10], [31, 100]),
    ("max -5", {"type": "integer", "maximum": -5}, [-5, -500, -10], [-4, 0, 5]),
    ("0 to 23", {"type": "integer", "minimum": 0, "maximum": 23}, [0, 9, 10, 19, 20, 23], [24, -1, 30]),
    ("15 to 300", {"type": "integer", "minimum": 15, "maximum": 300}, [15, 99, 100, 299, 300], [14, 301, 1000]),
    ("5 to 30", {"type": "integer", "minimum": 5, "maximum": 30}, [5, 10, 30], [4, 31]),
    ("-123 to 42", {"type": "integer", "minimum": -123, "maximum": 42}, [-123, 0, 42, -9, -99], [-124, 43]),
    ("-10 to 10 exclusive", {"type": "integer", "exclusiveMinimum": -10, "exclusiveMaximum": 10}, [-9, 0, 9], [-10, 10]),
    ("0 to 1", {"type": "number", "minimum": 0, "maximum": 1}, [0, 0.5, 1, 1.0], [1.01, -0.1]),
    ("0 to 1 exclusive", {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, [0.5, 0.001], [0, 1]),
    ("-1.25 to 7.75", {"type": "number", "minimum": -1.25, "maximum": 7.75}, [-1.25, 0, 7.75, 3.5, -1], [-1.26, 7.76, 8]),
    ("99.5 to 100.25 exclusive", {"type": "number", "exclusiveMinimum": 99.5, "exclusiveMaximum": 100.25}, [99.6, 100, 100.2], [99.5, 100.25]),
    ("at least 1e6", {"type": "number", "minimum": 1000000}, [1000000, 1000000.5, 98765432], [999999.5]),
    ("below -0.001", {"type": "number", "exclusiveMaximum": -0.001}, [-0.0011, -1, -100.5], [-0.001, 0]),
    ("multiple of 3", {"type": "integer", "multipleOf": 3}, [0, 3, -9, 300], [1, 10]),
    ("multiple of 25, 0 to 1000", {"type": "integer", "multipleOf": 25, "minimum": 0, "maximum": 1000}, [0, 25, 1000], [30]),
    ("lengths", {"type": "string", "minLength": 1, "maxLength": 5}, ["a", "äöüßé", "😀😀😀😀😀"], ["", "abcdef"]),
    ("min length", {"type": "string", "minLength": 3}, ["abc", "abcd" * 10], ["ab"]),
    ("exact length", {"type": "string", "minLength": 4, "maxLength": 4}, ["a\"\\b"], ["abc", "abcde"]),
    ("max length 300", {"type": "string", "maxLength": 300}, ["", "x" * 300], ["x" * 301]),
    ("max length of many", {"type": "array", "items": {"type": "string", "maxLength": 12}, "maxItems": 9}, [[], ["x" * 12] * 9], [["x" * 13], ["x"] * 10]),
    ("phone", {"type": "string", "pattern": "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$"}, ["555-1212", "(888)555-1212"], ["5551212"]),
    ("pattern unanchored", {"type": "string", "pattern": "[0-9]{2}"}, ["12", "a12b", "\"12\""], ["1a2"]),
    ("pattern with quotes", {"type": "string", "pattern": "^\"[^\"\\\\]*\"\\\\$"}, ["\"ab\"\\", "\"\"\\"], ["\"a"]),
    ("pattern of control characters", {"type": "string", "pattern": "^[\\x00-\\x1f]{1,3}$"}, ["\n", "\u0000\u0001\t"], ["a"]),
    ("pattern with unicode", {"type": "string", "pattern": "^[äöü😀-😂]+$"}, ["äö", "😁"], ["a"]),
    ("pattern with choices", {"type": "string", "pattern": "^(cat|dogs?|(bird|fish){1,2})$"}, ["cat", "dogs", "birdfish"], ["birds"]),
    ("pattern and lengths", {"type": "string", "pattern": "^[a-f]+$", "minLength": 2, "maxLength": 30}, ["ab", "f" * 30], ["a", "f" * 31]),
    ("pattern with parts and lengths", {"type": "string", "pattern": "^[a-z]+(-[0-9]+)?$", "minLength": 3, "maxLength": 8}, ["abc", "a-1", "abcdef-1"], ["ab", "abcdefghi", "abcdefg-1"]),
    ("pattern somewhere and lengths", {"type": "string", "pattern": "\\d\\d", "minLength": 4, "maxLength": 6}, ["ab12", "x123\"y"], ["12", "1a2a"]),
    ("three patterns", {"type": "string", "allOf": [{"pattern": "[A-Z]"}, {"pattern": "[0-9]"}, {"pattern": "^\\w{4,12}$"}]}, ["aB3x", "1Z__"], ["abcd", "A1", "AB 12"]),
    ("date of this century", {"type": "string", "format": "date", "pattern": "^20"}, ["2024-02-29"], ["1999-01-01"]),
    ("uri of 30", {"type": "string", "format": "uri", "maxLength": 30}, ["https://a.org/b"], ["https://a.org/" + "b" * 30]),
    ("uri of 80", {"type": "string", "format": "uri", "maxLength": 80}, ["https://example.org/b?c=d"], ["https://example.org/" + "b" * 80]),
    ("uri as pydantic has it", {"type": "string", "format": "uri", "minLength": 1, "maxLength": 2083}, ["https://www.org/" + "b/" * 500], ["https://example.org/" + "b" * 3000]),
    ("email of 20", {"type": "string", "format": "email", "minLength": 5, "maxLength": 20}, ["a.b@example.org"], ["a.b.c@longer.example.org"]),
    ("email of 100", {"type": "string", "format": "email", "maxLength": 100}, ["someone.else@example.org"], ["a@" + "b" * 100]),
    ("email of 254", {"type": "string", "format": "email", "maxLength": 254}, ["someone.else@example.org"], []),
    ("hostname of 20", {"type": "string", "format": "hostname", "maxLength": 20}, ["www.example.org"], ["www.long.example.org.x"]),
    ("hostname of 255", {"type": "string", "format": "hostname", "maxLength": 255}, ["www.example.org"], []),
    ("uuid of 36", {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}, ["123e4567-e89b-12d3-a456-426614174000"], ["x"]),
    ("date", {"type": "string", "format": "date"}, ["2024-02-29", "0999-01-01", "2026-11-20"], ["2023-02-29", "2024-13-01", "20240101"]),
    ("time", {"type": "string", "format": "time"}, ["10:20:30Z", "23:59:59.5+05:30"], ["25:00:00Z"]),
    ("date-time", {"type": "string", "format": "date-time"}, ["2026-11-20T10:20:30Z", "2026-11-20T10:20:30.123-08:00"], ["2026-11-20"]),
    ("duration", {"type": "string", "format": "duration"}, ["P1DT12H", "P4Y", "PT5M30S"], ["1d"]),
    ("uuid", {"type": "string", "format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567"]),
    ("email", {"type": "string", "format": "email"}, ["a.b@example.org"], ["nobody"]),
    ("hostname", {"type": "string", "format": "hostname"}, ["example.org", "a-b.c"], ["-a"]),
    ("ipv4", {"type": "string", "format": "ipv4"}, ["127.0.0.1", "255.255.255.255"], ["256.1.1.1"]),
    ("ipv6", {"type": "string", "format": "ipv6"}, ["::1", "2001:db8::ff00:42:8329", "1:2:3:4:5:6:7:8"], ["1::2::3"]),
    ("uri", {"type": "string", "format": "uri"}, ["https://example.org/a?b=c#d", "mailto:x@y.org"], ["no uri"]),
    ("uri-reference", {"type": "string", "format": "uri-reference"}, ["/a/b?c", "https://example.org"], ["a b"]),
    ("json-pointer", {"type": "string", "format": "json-pointer"}, ["", "/a/b~1c/0"], ["a"]),
    ("enum", {"enum": ["red", "amber", "green", None, 42, ["a", 1], {"k": [True]}]}, ["red", None, 42, ["a", 1], {"k": [True]}], ["blue", 43]),
    ("enum with one beginning as another", {"enum": ["a", "ab", "abc", "b"]}, ["a", "ab", "abc"], ["abcd"]),
    ("const", {"const": {"a": "x\"y", "b": [1, 2]}}, [{"a": "x\"y", "b": [1, 2]}], [{}]),
    ("prefixItems", {"type": "array", "prefixItems": [S, I], "items": B, "minItems": 2}, [["a", 1], ["a", 1, True, False]], [["a"], ["a", 1, 2]]),
    ("tuple", {"type": "array", "prefixItems": [S, N], "items": False, "minItems": 2, "maxItems": 2}, [["a", 1.5]], [["a"], ["a", 1, 1]]),
    ("min and max items", {"type": "array", "items": I, "minItems": 2, "maxItems": 4}, [[1, 2], [1, 2, 3, 4]], [[1], [1, 2, 3, 4, 5]]),
    ("many items", {"type": "array", "items": B, "minItems": 30, "maxItems": 40}, [[True] * 30, [False] * 40], [[True] * 29, [True] * 41]),
    ("arrays of arrays", {"type": "array", "items": {"type": "array", "items": I, "maxItems": 3}, "minItems": 1}, [[[]], [[1, 2], [3]]], [[], [[1, 2, 3, 4]]]),
    ("optional properties", {"type": "object", "properties": {"a": S, "b": I, "c": B}, "required": ["b"]}, [{"b": 1}, {"a": "x", "b": 1, "c": True}], [{"a": "x"}]),
    ("all optional", {"type": "object", "properties": {"a": S, "b": I, "c": B}, "additionalProperties": False}, [{}, {"a": "x"}, {"c": True}, {"b": 1, "c": False}], [{"d": 1}]),
    ("additional", {"type": "object", "properties": {"name": S}, "required": ["name"], "additionalProperties": N}, [{"name": "n"}, {"name": "n", "nam": 1, "names": 2.5}], [{"name": 1}, {"name": "n", "x": "y"}]),
    ("additional and optional", {"type": "object", "properties": {"a": S, "ab": I}, "additionalProperties": B}, [{}, {"x": True}, {"a": "", "abc": False}], [{"x": 1}]),
    ("map", {"type": "object", "additionalProperties": {"type": "array", "items": I}}, [{}, {"x": [1], "y": []}], [{"x": 1}]),
    ("map with bounds", {"type": "object", "additionalProperties": I, "minProperties": 1, "maxProperties": 3}, [{"x": 1}, {"x": 1, "y": 2, "z": 3}], [{}]),
    ("patternProperties", {"type": "object", "patternProperties": {"^[a-z]{2,4}$": I}, "additionalProperties": False}, [{}, {"ab": 1, "xyz": 2}], [{"a": 1}, {"ab": "x"}]),
    ("required beyond properties", {"type": "object", "properties": {"a": S}, "required": ["b"]}, [{"b": 1}, {"a": "x", "b": []}], [{"a": "x"}]),
    ("property names to escape", closed(**{"a\"b": I, "ö\n": S, "": N}), [{"a\"b": 1, "ö\n": "x", "": 2}], [{}]),
    ("empty object", {"type": "object", "properties": {}, "additionalProperties": False}, [{}], [{"a": 1}]),
    ("anyOf", {"anyOf": [S, {"type": "integer", "minimum": 10}]}, ["x", 10], [9, None]),
    ("oneOf", {"oneOf": [closed(kind={"const": "circle"}, r=N), closed(kind={"const": "square"}, side=N)]}, [{"kind": "circle", "r": 1}, {"kind": "square", "side": 2.5}], [{"kind": "circle", "side": 1}]),
    ("oneOf by type", {"oneOf": [{"type": "array", "items": I}, S, {"type": "null"}]}, [[1], "x", None], [1.5]),
    ("allOf", {"allOf": [{"type": "object", "properties": {"a": I}, "required": ["a"]}, {"properties": {"b": S}, "required": ["b"]}]}, [{"a": 1, "b": "x"}], [{"a": 1}]),
    ("allOf of bounds", {"allOf": [{"type": "integer"}, {"minimum": 3}, {"maximum": 8}]}, [3, 8], [2, 9]),
    ("allOf with $ref", {"$defs": {"base": {"type": "object", "properties": {"id": I}, "required": ["id"]}}, "allOf": [{"$ref": "#/$defs/base"}], "properties": {"x": S}, "required": ["x"]}, [{"id": 1, "x": "y"}], [{"id": 1}]),
    ("$ref with neighbours", {"$defs": {"n": {"type": "integer", "minimum": 0}}, "$ref": "#/$defs/n", "maximum": 5}, [0, 5], [6, -1]),
    ("anyOf with base", {"type": "object", "properties": {"a": I}, "required": ["a"], "anyOf": [{"properties": {"b": S}, "required": ["b"]}, {"properties": {"c": S}, "required": ["c"]}]}, [{"a": 1, "b": "x"}, {"a": 1, "c": "x"}], [{"a": 1}]),
    ("two anyOf", {"allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}]}, ["abc"], [1, None, "abcd"]),
    ("tree", {"$defs": {"t": {"type": "object", "properties": {"v": I, "l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}}, "required": ["v"], "additionalProperties": False}}, "$ref": "#/$defs/t"}, [{"v": 1, "l": {"v": 2, "r": {"v": 3}}}], [{"l": {"v": 1}}]),
    ("mutual recursion", {"$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/o"}, "maxItems": 3}, "o": {"type": "object", "properties": {"k": {"$ref": "#/$defs/a"}}, "additionalProperties": False}}, "$ref": "#/$defs/a"}, [[], [{"k": [{}]}]], [[[]]]),
    ("json type by hand", {"$defs": {"j": {"anyOf": [{"type": "null"}, N, S, {"type": "array", "items": {"$ref": "#/$defs/j"}}, {"type": "object", "additionalProperties": {"$ref": "#/$defs/j"}}]}}, "$ref": "#/$defs/j"}, [None, 1, [[], {"a": "b"}]], [True]),
    ("pydantic optional", {"properties": {"name": {"title": "Name", "type": "string"}, "age": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None, "title": "Age"}}, "required": ["name"], "title": "User", "type": "object"}, [{"name": "x"}, {"name": "x", "age": None}], [{"age": 1}]),
    ("pydantic enum", {"$defs": {"Color": {"enum": ["red", "blue"], "title": "Color", "type": "string"}}, "properties": {"color": {"$ref": "#/$defs/Color"}}, "required": ["color"], "type": "object"}, [{"color": "red"}], [{"color": "pink"}]),
    ("boolean subschemas", {"type": "object", "properties": {"yes": True, "no": False}, "required": ["yes"]}, [{"yes": [1]}], [{"no": 1}]),
    ("draft 4 bounds", {"type": "integer", "minimum": 0, "maximum": 10}, [0, 10], [11]),
    ("tool call", closed(name={"const": "get_weather"}, arguments=closed(location=S, unit={"enum": ["c", "f"]})), [{"name": "get_weather", "arguments": {"location": "Rome", "unit": "c"}}], [{"name": "other", "arguments": {"location": "", "unit": "c"}}]),
    ("deep", closed(a=closed(b=closed(c=closed(d=closed(e=closed(f={"type": "array", "items": closed(g=N)})))))), [{"a": {"b": {"c": {"d": {"e": {"f": [{"g": 1}]}}}}}}], [{"a": {}}]),
]  # fmt: skip


def check(schema, text):
    assert not text.endswith(">") or text.endswith('>"'), text
    value = json.loads(text)
    validator(schema).validate(value)


@pytest.mark.parametrize("tokenizer", ["bytes", "qwen2.5"])
def test_walks_under_a_schema_validate(tokenizer):
    if tokenizer != "bytes" and not QWEN.exists():
        pytest.skip(f"{QWEN} is not there")
    walks, schemas = (20, SCHEMAS) if tokenizer == "bytes" else (4, SCHEMAS[::3])
    requests = [{"kind": "schema", "source": schema, "texts": [], "walks": walks, "seed": i} for i, (_, schema, _, _) in enumerate(schemas)]
    finished = 0
    for (name, schema, _, _), answer in zip(schemas, ask(requests, "-" if tokenizer == "bytes" else str(QWEN)), strict=True):
        assert "error" not in answer, f"{name}: {answer}"
        for text in answer["walks"]:
            if text.endswith("<unfinished>"):
                continue
            try:
                check(schema, text)
            except Exception as error:
                raise AssertionError(f"{name}: {text!r}: {error}") from error
            finished += 1
    assert finished > 0.9 * walks * len(schemas)


def test_good_values_are_accepted_and_bad_ones_are_not():
    requests = []
    for name, schema, good, bad in SCHEMAS:
        for value in good:
            validator(schema).validate(value)
        for value in bad:
            assert not validator(schema).is_valid(value), f"{name}: {value!r} is valid"
        texts = [text for value in good + bad for text in prints(value)]
        requests.append({"kind": "schema", "source": schema, "texts": texts, "walks": 0, "seed": 0})
    for (name, _, good, _), request, answer in zip(SCHEMAS, requests, ask(requests), strict=True):
        assert "error" not in answer, f"{name}: {answer}"
        for i, (text, accepted) in enumerate(zip(request["texts"], answer["accepted"], strict=True)):
            assert accepted == (i < 2 * len(good)), f"{name}: {text} {'accepted' if accepted else 'not accepted'}"


def test_random_bounds_of_numbers_hold():
    r = random.Random(3)
    requests, schemas = [], []
    for _ in range(150):
        places = r.choice([0, 0, 1, 3])
        a, b = sorted(round(r.uniform(-1, 1) * 10 ** r.randint(0, 6), places) for _ in range(2))
        schema = {"type": "integer" if places == 0 else "number"}
        if places == 0:
            a, b = int(a), int(b)
        if r.random() < 0.8:
            schema[r.choice(["minimum", "exclusiveMinimum"])] = a
        if r.random() < 0.8:
            schema[r.choice(["maximum", "exclusiveMaximum"])] = b
        values = [a, b, 0, a - 1, a + 1, b - 1, b + 1, (a + b) // 2] + [r.randint(int(a) - 5, int(b) + 5) for _ in range(5)]
        if places:
            values += [round(r.uniform(a - 1, b + 1), r.randint(1, 4)) for _ in range(10)]
        values = [round(v, 6) for v in values]
        schemas.append((schema, values))
        requests.append({"kind": "schema", "source": schema, "texts": [format_number(v) for v in values], "walks": 5, "seed": 1})
    for (schema, values), answer in zip(schemas, ask(requests), strict=True):
        if "error" in answer:
            assert "no text matches" in answer["error"], (schema, answer)
            assert not any(validator(schema).is_valid(v) for v in values), schema
            continue
        for value, accepted in zip(values, answer["accepted"], strict=True):
            number = int(value) if schema["type"] == "integer" and value == int(value) else value
            assert accepted == validator(schema).is_valid(number), (schema, value, accepted)
        for text in answer["walks"]:
            if not text.endswith("<unfinished>"):
                check(schema, text)


def format_number(value) -> str:
    return str(int(value)) if value == int(value) else repr(value)


EXPRESSIONS = [
    "abc", "a|bc|", "a*b+c?", "(ab)*", "(a|b)*abb", "[a-c]{2,4}", "[^a-c]", "x{3}", "x{2,}", "(?:a(?:b|c)){1,3}", r"\d+(\.\d+)?", r"\w+@\w+", r"[\w.-]+", r"\s*a\s*", r"[^\s]+",
    "^abc$", "(^a|b)c", "a.c", r"\x41\u0042", "[a-c-]", "[a\\]]x?", "a{,3}", "(a?){20}b", "(a|aa)+b", "((a{1,30}){1,30})c", "a*?b+?c??", "", "[äöü]+|日本", r"\$\^\.",
]  # fmt: skip


def test_expressions_match_as_pythons():
    r = random.Random(9)
    letters = "aabbccdx1.@ ABäö日-]$^\n"
    requests = []
    for expression in EXPRESSIONS:
        compiled = re.compile(expression.replace("a{,3}", "a\\{,3\\}"), re.ASCII)
        texts = {"", *("".join(r.choices(letters, k=r.randint(0, 8))) for _ in range(150)), *("".join(r.choices("abc", k=r.randint(0, 9))) for _ in range(150))}
        requests.append(({"kind": "regex", "source": expression, "texts": sorted(texts), "walks": 20, "seed": 5}, compiled))
    for (request, compiled), answer in zip(requests, ask([request for request, _ in requests]), strict=True):
        assert "error" not in answer, (request["source"], answer)
        for text, accepted in zip(request["texts"], answer["accepted"], strict=True):
            if request["source"] == "a.c" and "\r" in text:
                continue
            assert accepted == bool(compiled.fullmatch(text)), (request["source"], text, accepted)
        for text in answer["walks"]:
            if "\\s" in request["source"] and not text.isascii():
                continue  # ours has the white space of Unicode, as ECMA-262
            assert text.endswith("<unfinished>") or compiled.fullmatch(text), (request["source"], text)
