"""Requests that no server should have to see, made from a seed: wrong numbers, types and encodings, hostile schemas, expressions,
grammars, tools."""

import json
import random

from crowd import CHAT, COMPLETIONS, MODEL, user

NUMBERS = [
    0,
    -1,
    1,
    2**31 - 1,
    2**31,
    -(2**31) - 1,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**400,
    1e308,
    -1e308,
    5e-324,
    0.5,
    -0.0,
    1e40,
]
WRONG = [
    None,
    True,
    False,
    "",
    "x",
    "NaN",
    "1e999",
    [],
    [[]],
    {},
    {"a": 1},
    [None],
    "\x00",
    "\ud800",
    "é" * 1000,
    [1, "2", None],
    [-1],
    [2**40],
    "9" * 400,
]
# Beside JSON's own: what lenient parsers read as numbers.
LITERALS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "0x10",
    "01",
    "1.",
    ".5",
    "+1",
    "1e",
    "--1",
    "tru",
    "'a'",
    "undefined",
    "1e400",
]

FIELDS = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "top_n_sigma",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "repeat_last_n",
    "dry_multiplier",
    "dry_base",
    "dry_allowed_length",
    "dry_penalty_last_n",
    "xtc_probability",
    "xtc_threshold",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "min_tokens",
    "n",
    "best_of",
    "logprobs",
    "top_logprobs",
    "prompt_logprobs",
    "logit_bias",
    "stop",
    "stop_token_ids",
    "allowed_token_ids",
    "bad_words",
    "ignore_eos",
    "stream",
    "stream_options",
    "messages",
    "prompt",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "structured_outputs",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "reasoning_effort",
    "thinking",
    "thinking_budget",
    "chat_template_kwargs",
    "cache_salt",
    "priority",
    "keep_alive",
    "num_ctx",
    "echo",
    "suffix",
    "samplers",
    "user",
    "model",
    "context_policy",
    "sse_ping_interval",
    "add_generation_prompt",
    "continue_final_message",
    "return_token_ids",
    "include_reasoning",
]


def nested(depth, inner="1", kind="["):
    return inner.join(("[" * depth, "]" * depth)) if kind == "[" else '{"a":' * depth + inner + "}" * depth


def deep_schema(depth):
    schema = {"type": "integer"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


SCHEMAS = [
    {"$ref": "#"},
    {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
    {"allOf": [{"type": "string"}, {"type": "integer"}]},
    {"enum": []},
    {"$ref": "http://169.254.169.254/latest"},
    {"$ref": "file:///etc/passwd"},
    {"type": "string", "minLength": 10**9},
    {"type": "string", "maxLength": -1},
    {"type": "array", "minItems": 10**12},
    {"type": "array", "items": {"type": "array", "minItems": 9999, "items": {"type": "string", "minLength": 9999}}},
    {"type": "integer", "minimum": 10**30, "maximum": -5},
    {"type": "number", "multipleOf": 0},
    {"pattern": "(((((((((("},
    {"pattern": "(a+)+$", "type": "string"},
    {"type": "string", "pattern": "^(a?){5000}a{5000}$"},
    {"not": {}},
    {"type": ["string", "nothing"]},
    {"properties": [1]},
    {"anyOf": []},
    False,
    [],
    7,
    {"const": {"a": "x" * 5000}},
    {"type": "string", "format": "no-such-format"},
    {"unevaluatedProperties": False, "dependentSchemas": {"a": False}},
    {"type": "object", "patternProperties": {"^(x{1,900}){1,900}$": {}}},
    {"anyOf": [{"type": "string", "minLength": i} for i in range(300)]},
    deep_schema(100),
    deep_schema(126),
]
EXPRESSIONS = [
    "(",
    ")",
    "[",
    "a{2,1}",
    "a{100000}",
    "((a{100}){100}){100}",
    "(a*)*" * 50,
    "(" * 500 + ")" * 500,
    "[^\\x00-\\x{10ffff}]",
    "\\1",
    "(?=a)b",
    "(?<!a)b",
    "a**",
    "\\p{Nothing}",
    "[z-a]",
    "(x+x+)+y",
    ".*" * 200,
    "\x00",
    "a|" * 2000,
    "$^",
    "[\\d-z]{0,9999}",
]
GRAMMARS = [
    "",
    "root",
    "root ::=",
    "root ::= root",
    'root ::= root root | "a"',
    "root ::= a\na ::= b\nb ::= a",
    'x ::= "a"',
    'root ::= "a',
    "root ::= [",
    "root ::= [z-a]",
    'root ::= ("a"{1000}){1000}',
    "root ::= " + "(" * 300 + '"a"' + ")" * 300,
    'root ::= "a"{5,2}',
    "root ::= undefined-rule",
    'root ::= "\\x"',
    "root ::= (((",
    "\x00",
    "root ::= " + " | ".join(f'"{i}"' for i in range(3000)),
    'root ::= a*\na ::= b*\nb ::= ""',
]


def tool(parameters, name="f"):
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def with_form(random):
    kind = random.randrange(4)
    if kind == 0:
        return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": random.choice(SCHEMAS)}}}
    if kind == 1:
        return {"guided_regex": random.choice(EXPRESSIONS)}
    if kind == 2:
        return {"guided_grammar": random.choice(GRAMMARS)}
    return {
        "tools": [tool(random.choice(SCHEMAS), random.choice(["f", "", "a b", "x" * 500, 'q"\n', "</tool_call>"]))],
        "tool_choice": random.choice(["required", "auto", {"type": "function", "function": {"name": "g"}}]),
    }


def with_field(random):
    return {random.choice(FIELDS): random.choice(NUMBERS + WRONG) for _ in range(random.choice([1, 1, 1, 2, 3]))}


def raw(random):
    """Bytes that are hardly JSON."""
    body = json.dumps({"model": MODEL, "messages": user("hi"), "max_tokens": 4, "temperature": 1}).encode()
    kind = random.randrange(8)
    if kind == 0:
        return body[: random.randrange(len(body))]
    if kind == 1:
        place = random.randrange(len(body))
        return body[:place] + bytes([random.randrange(256)]) + body[place + 1 :]
    if kind == 2:
        return body.replace(b'"temperature": 1', f'"temperature": {random.choice(LITERALS)}'.encode())
    if kind == 3:
        return body.replace(b'"hi"', nested(random.choice([100, 127, 128, 129, 5000, 100000]), kind=random.choice("[{")).encode())
    if kind == 4:
        return body.replace(
            b"hi", random.choice([b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\\ud800", b"\\u0000", b"\x01"])
        )
    if kind == 5:
        return body.decode().encode(random.choice(["utf-16", "utf-32", "utf-16-be", "utf-8-sig"]))
    if kind == 6:
        return body[:-1] + b"," + b",".join(b'"k%d": %d' % (i % 7, i) for i in range(2000)) + b"}"
    return bytes(random.randrange(256) for _ in range(random.randrange(300)))


def poisoned(count, seed):
    """[(path, bytes, headers)]"""
    source = random.Random(seed)
    made = []
    for _ in range(count):
        path = source.choice([CHAT, CHAT, COMPLETIONS])
        headers = {}
        kind = source.randrange(10)
        if kind < 2:
            body = raw(source)
        else:
            start = {"prompt": "one two"} if path == COMPLETIONS else {"messages": user("hi")}
            more = with_form(source) if kind < 6 else with_field(source)
            body = json.dumps({"model": MODEL, "max_tokens": 8, "stream": source.random() < 0.3} | start | more).encode()
        if kind == 9:
            headers = source.choice(
                [
                    {"Content-Encoding": "gzip"},
                    {"Content-Encoding": "zstd"},
                    {"Content-Type": "text/plain"},
                    {"Accept": "\x7f"},
                    {"X-Request-Id": "x" * 5000},
                    {"Authorization": "Basic " + "A" * 3000},
                ]
            )
        made.append((path, body, headers))
    return made
