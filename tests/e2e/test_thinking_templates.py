"""Thinking is told from the answer with templates of real models, whatever the template itself does about it."""

import pytest

from conftest import REPOSITORY, Quern, built_program
from crowd import CHAT, MODEL, user
from server import Server

COUNT = {"model": MODEL, "messages": user('In the word "strawberry", how many R\'s are there?'), "temperature": 0, "max_tokens": 120}


def serve(home, template):
    path = REPOSITORY.parent / "shared" / "data" / "templates" / template
    if not path.exists():
        pytest.skip(f"{template} is not there")
    return Server(Quern(built_program(), home), MODEL, "--chat-template", str(path))


@pytest.fixture(scope="module")
def nonthinking(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("server"), "qwen3_nonthinking.jinja") as running:
        yield running


@pytest.fixture(scope="module")
def qwq(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("server"), "QwQ.jinja") as running:
        yield running


def parts_of(events):
    thinking, content = "", ""
    for event in events[:-1]:
        for choice in event["choices"]:
            delta = choice["delta"]
            assert not ("content" in delta and delta["content"] and delta.get("reasoning_content")), "never both in one delta"
            assert delta.get("reasoning") == delta.get("reasoning_content")
            thinking += delta.get("reasoning_content") or ""
            content += delta.get("content") or ""
    return thinking, content


def test_with_a_template_without_thinking_no_tag_is_ever_content(nonthinking):
    answer = nonthinking.post(CHAT, COUNT | {"return_prompt_text": True}).json()
    message = answer["choices"][0]["message"]
    assert "think" not in answer["prompt_text"]
    assert message["content"] and "think>" not in message["content"]
    assert parts_of(nonthinking.post(CHAT, COUNT | {"stream": True}).events()) == (message.get("reasoning", ""), message["content"])


def test_a_template_that_opens_the_thought_in_the_prompt_has_it_split_off_all_the_same(qwq):
    answer = qwq.post(CHAT, COUNT | {"return_prompt_text": True}).json()
    message = answer["choices"][0]["message"]
    assert answer["prompt_text"].endswith("<think>\n")
    assert message["reasoning_content"] == message["reasoning"] and message["reasoning"].startswith("s t r(1)")
    assert "think>" not in message["content"] and "R's" in message["content"]
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] > 10
    assert parts_of(qwq.post(CHAT, COUNT | {"stream": True}).events()) == (message["reasoning"], message["content"])


def test_a_thought_that_the_limit_cuts_is_thinking_and_no_content(qwq):
    message = qwq.post(CHAT, COUNT | {"max_tokens": 6}).json()["choices"][0]["message"]
    assert message["content"] == "" and message["reasoning"]


def test_a_form_begins_after_the_thought_that_the_prompt_opened(qwq):
    form = {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"enum": ["one", "two"]}}}}
    message = qwq.post(CHAT, COUNT | form).json()["choices"][0]["message"]
    assert message["reasoning"].startswith("s t r(1)") and message["content"].strip() in ('"one"', '"two"')
