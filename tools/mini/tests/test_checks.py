"""The checkers accept our own answers and refuse answers that are nearly right."""
import pytest

import checks
import text
from text.chat import answer_text, from_exchanges
from text.words import pool


@pytest.mark.parametrize("make, check", [
    (lambda r, p: from_exchanges("", [text.count_exchange(r, p)]), checks.count),
    (lambda r, p: from_exchanges("", [text.sum_exchange(r, p)]), checks.arithmetic),
    (lambda r, p: from_exchanges("", [text.json_exchange(r, p)]), checks.json_right),
    (text.recall, checks.recalled), (text.tool_call, checks.tool_right), (text.tool_call, checks.tool_well_formed),
    (text.tool_not_needed, checks.plain_words), (text.tool_reply, checks.sentence)])
def test_our_own_answers_are_right(rng, make, check):
    for split in ("test", "unseen"):
        for _ in range(200):
            chat = make(rng, pool(split))
            assert check(chat, answer_text(chat.messages[-1])), (chat.messages, chat.facts)


def chat_with(**facts):
    return text.Conversation("", [], facts)


def test_a_wrong_count_is_refused():
    chat = chat_with(word="strawberry", letter="r")
    assert checks.count(chat, '<think>\n…\n</think>\n\nThere are 3 R\'s in "strawberry".')
    assert not checks.count(chat, 'There are 2 R\'s in "strawberry".')
    assert not checks.count(chat, 'There are 3 R\'s in "strawbery".')


def test_a_wrong_difference_is_refused():
    chat = chat_with(a=23, op="-", b=58)
    assert checks.arithmetic(chat, "23 - 58 = -35")
    assert not checks.arithmetic(chat, "23 - 58 = 35")
    assert not checks.arithmetic(chat, "23 - 58 = -351")


def test_a_call_with_words_around_it_or_a_foreign_name_is_refused():
    tools = [{"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}}]
    chat = text.Conversation("", [], {"calls": [{"name": "f", "arguments": {"a": "1"}}]}, tools)
    good = '<tool_call>\n{"name": "f", "arguments": {"a": "1"}}\n</tool_call>'
    assert checks.tool_right(chat, good) and checks.tool_well_formed(chat, good)
    assert not checks.tool_right(chat, "Sure! " + good)
    assert not checks.tool_right(chat, good.replace('"1"', "1"))
    assert not checks.tool_well_formed(chat, good.replace('"f"', '"g"'))
    assert not checks.tool_well_formed(chat, good.replace("}}", "}"))


def test_another_name_is_refused():
    assert checks.recalled(chat_with(name="Ann"), "Your name is Ann.")
    assert not checks.recalled(chat_with(name="Ann"), "Your name is Anna.")
    assert checks.recalled(chat_with(name="明华"), "你叫明华。")
    assert not checks.recalled(chat_with(name=None), "Your name is Ann.")
