"""The Jinja template and text/chat.py write the same characters."""
import json
import re

import pytest

from text.chat import NO_THOUGHT, OPEN_THOUGHT, document, pieces, prompt
from vocab import HERE

jinja2 = pytest.importorskip("jinja2")


@pytest.fixture
def template():
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)   # as Transformers sets it up
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string((HERE / "chat_template.jinja").read_text(encoding="utf-8"))


def test_every_training_prompt_is_what_the_template_renders(template, chats):
    for chat in chats:
        rendered = template.render(messages=chat.messages[:-1], tools=chat.tools, add_generation_prompt=True,
                                   enable_thinking=chat.opened != NO_THOUGHT)
        assert rendered == prompt(chat).removesuffix(OPEN_THOUGHT if chat.opened == OPEN_THOUGHT else "")


def test_every_training_document_is_what_the_template_renders(template, chats):
    for chat in chats:
        if not chat.opened:
            assert template.render(messages=chat.messages, tools=chat.tools) == document(chat)


def test_arguments_given_as_a_string_render_like_an_object(template):
    def history(arguments):
        call = {"type": "function", "function": {"name": "f", "arguments": arguments}}
        return [{"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    assert template.render(messages=history('{"a": 1}')) == template.render(messages=history({"a": 1}))


def test_what_is_learnt_ends_every_answer(chats):
    for chat in chats:
        learnt = [text for text, is_learnt in pieces(chat) if is_learnt]
        assert learnt and all(text.endswith("<|im_end|>") and "<|im_start|>" not in text for text in learnt)


def test_a_dropped_thought_is_not_learnt_as_no_thought(chats):
    """An answer that needs steps is only learnt together with them, unless the prompt asks for none."""
    for chat in chats:
        for text, is_learnt in pieces(chat):
            if is_learnt and chat.opened != NO_THOUGHT:
                assert not re.match(r"There (is|are) |单词|-?\d+ [+-] \d+ = ", text), document(chat)
