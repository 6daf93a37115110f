"""Quern's chat templates against jinja2, set up as Hugging Face Transformers sets it up: the same text, or an error on both sides.

The templates are those of tests/data/templates, those that the models of ../shared/data ship, and thousands that a seed generates. All
go through one run of oracle_render. On a failure, the case is printed with both answers.
"""

import datetime
import functools
import json
import os
import pathlib
import subprocess

import jinja2
import jinja2.ext
import jinja2.sandbox
import pytest
from template_generator import VARIABLES, Generator

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release")) / "tests" / "oracle_render"
SHARED = REPOSITORY.parent / "shared" / "data"
NOW = 1_722_000_123  # 26 July 2024, 13:22:03 UTC
GENERATED = int(os.environ.get("QN_TEMPLATES", "4000"))
FIRST_SEED = int(os.environ.get("QN_TEMPLATE_SEED", "0"))


class Generation(jinja2.ext.Extension):
    """{% generation %} prints its body, in a scope of its own."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


class PrivateNamespace(jinja2.utils.Namespace):
    """Refuses names that begin with an underscore."""

    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attributes = dict(*args, **kwargs)
        for name in attributes:
            PrivateNamespace.check(name)
        jinja2.utils.Namespace.__init__(self, attributes)

    def __setitem__(self, name, value):
        PrivateNamespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(name)


class Dict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)


def environment(optimized):
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols], optimized=optimized
    )

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env.filters["tojson"] = to_json
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).replace(tzinfo=None).strftime(form)
    env.globals["dict"] = Dict()
    env.globals["namespace"] = PrivateNamespace
    return env


ENVIRONMENT = environment(optimized=True)
# Folding of constants moves errors about, which no model's template relies on.
UNFOLDED = environment(optimized=False)
# What jinja2 prints for things that have no text of their own: it differs from run to run. Markup shows where methods keep it and ours do not.
ADDRESSES = (" object at 0x", "<generator", "<built-in method", "<bound method", "<function", "<class", "Markup(", "reverseiterator", "<jinja2", "<method-wrapper", "<test_templates", "slot wrapper")


@functools.lru_cache(maxsize=2)
def compiled(env, template):
    return env.from_string(template)


def expected(env, template, variables):
    """The text, or None for an error."""
    try:
        return compiled(env, template).render(json.loads(json.dumps(variables)))
    except Exception:  # noqa: BLE001: whatever Python raises is an error for the caller
        return None


def rendered(cases):
    lines = "".join(json.dumps({"template": t, "variables": v, "now": NOW}, ensure_ascii=False) + "\n" for t, v in cases)
    out = subprocess.run([PROGRAM], input=lines, capture_output=True, text=True, check=True, timeout=120)
    return [json.loads(line) for line in out.stdout.split("\n") if line]


def compare(cases, env=ENVIRONMENT):
    wrong = []
    texts = 0
    for (template, variables), got in zip(cases, rendered(cases), strict=True):
        want = expected(env, template, variables)
        if want is not None and any(mark.lower() in want.lower() for mark in ADDRESSES):
            continue
        if "cannot be sliced" in got.get("error", "") and want is not None:
            continue  # a slice of constants is folded, where jinja2 takes what cannot be sliced for undefined
        texts += want is not None
        if want != got.get("text"):
            wrong.append(f"--- template\n{template}\n--- variables\n{json.dumps(variables, ensure_ascii=False)[:2000]}\n--- jinja2\n{want!r}\n--- quern\n{got}")
    assert not wrong, f"{len(wrong)} of {len(cases)} differ; the first ones:\n" + "\n".join(wrong[:8])
    return texts


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city, \"quoted\" & <b>bold</b>; 天气",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": " The city \n"},
                "days": {"type": "array", "items": {"type": "integer"}, "description": "days"},
                "unité": {"type": ["string", "null"], "enum": ["°C", "°F"], "description": "unit"},
            },
            "required": ["city"],
        },
        "return": {"type": "object", "additionalProperties": {"type": "number"}},
    },
}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "", "parameters": {"type": "object", "properties": {}}}}


def say(role, content, **more):
    return {"role": role, "content": content, **more}


def tool_call(name, arguments, number="123456789"):
    return {"type": "function", "id": number, "function": {"name": name, "arguments": arguments}}


def chats():
    """Messages that chats are made of, named."""
    user, reply = say("user", "Hi there"), say("assistant", "Hello!")
    called = say("assistant", "", tool_calls=[tool_call("get_weather", {"city": "København", "days": [1, 2], "x": {"y": None, "z": 1.5e-7}})])
    two_calls = say("assistant", "let me see", tool_calls=[tool_call("clock", {}), tool_call("get_weather", {"city": "Paris \"<3>\"\n"}, "abcdefghi")])
    return {
        "nothing": [],
        "one": [user],
        "system": [say("system", "Be brief."), user],
        "blank system": [say("system", " \n "), user],
        "empty": [say("user", "")],
        "two turns": [user, reply, say("user", "And now?")],
        "five turns": [say("system", "s"), *[m for i in range(5) for m in (say("user", f"q{i}"), say("assistant", f"a{i}"))], say("user", "last")],
        "Chinese": [say("system", "你是一个助手。"), say("user", "你好，世界！😀"), say("assistant", "您好"), say("user", "再见")],
        "characters": [say("user", "a\nb\r\nc\td \"q\" 'q' <tag> &amp; {{ x }} {% y %} \\n \u2028 \x01 ｜")],
        "spaces": [say("user", "  \n padded \n\n"), say("assistant", "\n\n answer \n"), say("user", "\t?")],
        "call": [user, called, say("tool", '{"t": 21.5}', tool_call_id="123456789", name="get_weather"), say("assistant", "21.5 °C"), say("user", "Thanks")],
        "open call": [user, called, say("tool", "21", tool_call_id="123456789")],
        "two calls": [say("system", "S"), user, two_calls, say("tool", "12:00", tool_call_id="123456789"), say("tool", "rain\n", tool_call_id="abcdefghi")],
        "text arguments": [user, say("assistant", "", tool_calls=[tool_call("clock", '{"a": 1}')]), say("tool", "x", tool_call_id="1")],
        "bare calls": [user, say("assistant", "", tool_calls=[{"name": "clock", "arguments": {}}]), say("tool", "x")],
        "thought": [user, say("assistant", "<think>\nhm\n</think>\n\nYes."), say("user", "Sure?")],
        "thought last": [user, say("assistant", "<think>\nhm\n</think>\n\nYes.")],
        "reasoning": [user, say("assistant", "Yes.", reasoning_content="\nlong\nthought\n"), say("user", "Sure?"), say("assistant", "No.", reasoning_content="short")],
        "reasoning and call": [user, say("assistant", "", reasoning_content="r", tool_calls=[tool_call("clock", {})]), say("tool", "x"), say("assistant", "done", reasoning_content="q")],
        "closing tag only": [user, say("assistant", "thought</think>answer"), say("user", "<think>fake</think>")],
        "tool first": [say("tool", "x", tool_call_id="123456789"), user],
        "wrong order": [reply, user, user],
        "system late": [user, say("system", "late"), reply],
        "no content": [{"role": "user"}, {"role": "assistant", "content": None}],
        "no content call": [user, {"role": "assistant", "content": None, "tool_calls": [tool_call("clock", {})]}, say("tool", "1")],
        "parts": [say("user", [{"type": "text", "text": " hi "}, {"type": "image"}])],
        "extra keys": [say("user", "x", name="Bob", ключ=1, items=2, get=3)],
        "long": [say("user", "word " * 2000)],
        "unknown role": [say("developer", "d"), user],
    }


def option_sets():
    yield {"add_generation_prompt": True}
    yield {"add_generation_prompt": False}
    yield {"add_generation_prompt": True, "tools": [WEATHER]}
    yield {"add_generation_prompt": True, "tools": [WEATHER, CLOCK], "enable_thinking": False}
    yield {"add_generation_prompt": True, "enable_thinking": True}
    yield {"add_generation_prompt": False, "tools": [], "enable_thinking": False}
    yield {"add_generation_prompt": True, "documents": [{"title": "T \"x\"", "text": "t\nu"}, {"n": 1}], "date_string": "today", "tools_in_user_message": False, "tools": [CLOCK]}
    yield {"add_generation_prompt": True, "builtin_tools": ["code_interpreter", "clock", "get_weather"]}


def templates():
    found = {path.name: path.read_text() for path in sorted((REPOSITORY / "tests" / "data" / "templates").glob("*.jinja"))}
    for path in sorted(SHARED.glob("templates/*.jinja")):
        found["shared/" + path.name] = path.read_text()
    for path in sorted(SHARED.glob("*/tokenizer_config.json")):
        found["shared/" + path.parent.name] = json.loads(path.read_text())["chat_template"]
    return found


@pytest.mark.parametrize("name", templates())
def test_a_template_of_a_model_renders_as_jinja2_renders_it(name):
    template = templates()[name]
    cases = []
    for messages in chats().values():
        for options in option_sets():
            variables = {"messages": messages, "tools": None, "documents": None, "bos_token": "<s>", "eos_token": "</s>", **options}
            cases.append((template, variables))
    assert compare(cases) > len(cases) // 5


def test_generated_templates_render_as_jinja2_renders_them():
    cases = [(Generator(seed).template(), VARIABLES) for seed in range(FIRST_SEED, FIRST_SEED + GENERATED)]
    assert compare(cases, UNFOLDED) > len(cases) // 3


