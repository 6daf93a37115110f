"""The output for a request depends on the request alone: not on who else is served, nor on what is cached, how prompts are cut, how
much memory there is, how many threads compute. Answers are compared with all their log probabilities, to the last bit."""

import random

import pytest

from conftest import Quern, built_program
from crowd import CHAT, MODEL, ask, ask_all, differing, metric, mixed, user
from server import Server

REQUESTS = mixed(64, seed=1)


@pytest.fixture(scope="module")
def alone(server):
    """The answers to REQUESTS, one after another, none of which finds anything computed."""
    return [ask(server, request, cache_salt=f"alone {i}") for i, request in enumerate(REQUESTS)]


def test_the_answers_of_this_file_are_worth_comparing(alone):
    assert len({str(answer) for answer in alone}) > 40
    assert any(choice["message"].get("tool_calls") for answer in alone for choice in answer["choices"] if "message" in choice)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_in_a_crowd_of_64_as_alone(server, alone, order):
    places = list(range(64))
    random.Random(order).shuffle(places)
    answers = ask_all(server, [REQUESTS[i] for i in places], cache_salt=f"crowd {order}")
    assert differing([REQUESTS[i] for i in places], [alone[i] for i in places], answers) is None


def test_found_computed_as_computed(server, alone):
    for request, first in zip(REQUESTS[:21], alone):
        assert differing([request] * 2, [first] * 2, [ask(server, request, cache_salt="shared") for _ in range(2)]) is None
    prompt = {"model": MODEL, "messages": user("word " * 60), "temperature": 0, "max_tokens": 20, "logprobs": True}
    cold, warm, other = (server.post(CHAT, prompt | {"cache_salt": salt}).json() for salt in ("a", "a", "b"))
    assert [answer["usage"]["prompt_tokens_details"]["cached_tokens"] > 200 for answer in (cold, warm, other)] == [False, True, False]
    assert cold["choices"] == warm["choices"] == other["choices"]


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-num-seqs", "1"],
        ["--max-num-batched-tokens", "16", "--max-num-seqs", "5"],
        ["--max-num-batched-tokens", "2048", "--block-size", "16"],
        ["--threads", "1"],
        ["--threads", "3"],
        ["--speculative", "5"],
    ],
    ids=lambda flags: " ".join(flags),
)
def test_a_restarted_server_with_other_settings_as_this_one(tmp_path, alone, flags):
    with Server(Quern(built_program(), tmp_path), "quern-mini", *flags) as other:
        assert differing(REQUESTS, alone, ask_all(other, REQUESTS)) is None


def test_with_memory_for_four_all_64_complete_as_with_plenty(tmp_path, alone):
    """64 pages of 16 tokens are the window, once: requests give way to each other and begin again."""
    with Server(Quern(built_program(), tmp_path), "quern-mini", "--kv-memory", "2M", "--block-size", "16", "--max-num-seqs", "64") as small:
        assert differing(REQUESTS, alone, ask_all(small, REQUESTS)) is None
        assert metric(small, "quern_preemptions_total") > 0
        assert metric(small, "quern_kv_pages", state="held") == 0


def test_only_what_could_never_fit_is_refused(server):
    answer = server.post(CHAT, {"model": MODEL, "messages": user("word " * 400)})
    assert answer.status == 400 and answer.json()["error"]["code"] == "context_length_exceeded"
