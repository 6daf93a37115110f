"""What each parameter of OpenAI's and vLLM's API does to a reply."""

import json
import math

import pytest

MODEL = "quern-mini"
COUNT = [{"role": "user", "content": 'In the word "strawberry", how many R\'s are there?'}]
SAY = {"chat_template_kwargs": {"enable_thinking": False}}
HELLO = [{"role": "user", "content": "Hello, who are you?"}]


def chat(server, **body):
    return server.post("/v1/chat/completions", {"model": MODEL, "messages": HELLO, "temperature": 0, "max_tokens": 60} | SAY | body)


def complete(server, **body):
    return server.post("/v1/completions", {"model": MODEL, "prompt": "one two", "temperature": 0, "max_tokens": 8} | body)


def content(answer, index=0):
    return answer.json()["choices"][index]["message"]["content"]


def ids(server, text):
    """The tokens of a text: a reply of no token shows them."""
    return complete(server, prompt=text, return_token_ids=True, max_tokens=1).json()["choices"][0]["prompt_token_ids"]


def test_n_replies_come_in_order_and_the_first_is_the_one_that_comes_alone(server):
    hot = {"temperature": 2, "seed": 11, "max_tokens": 12}
    alone = content(chat(server, **hot))
    several = chat(server, n=5, **hot).json()
    assert [choice["index"] for choice in several["choices"]] == [0, 1, 2, 3, 4]
    texts = [choice["message"]["content"] for choice in several["choices"]]
    assert texts[0] == alone and len(set(texts)) > 1
    assert several["usage"]["completion_tokens"] > 12 and several["usage"]["prompt_tokens"] == chat(server).json()["usage"]["prompt_tokens"]


def test_streamed_choices_interleave_and_each_ends_once(server):
    hot = {"temperature": 2, "seed": 11, "max_tokens": 12, "n": 4}
    whole = [choice["message"]["content"] for choice in chat(server, **hot).json()["choices"]]
    texts, ends = [""] * 4, []
    events = chat(server, **hot, stream=True, stream_options={"include_usage": True}).events()
    for event in events[:-2]:
        [choice] = event["choices"]
        texts[choice["index"]] += choice["delta"].get("content", "")
        if choice["finish_reason"]:
            ends.append(choice["index"])
    assert texts == whole and sorted(ends) == [0, 1, 2, 3] and len([event for event in events[:-1] if event.get("usage")]) == 1


def test_prompts_times_n_make_choices_in_the_order_of_the_prompts(server):
    answer = complete(server, prompt=["one two", "three four"], n=2, temperature=2, seed=5).json()
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    for prompt, first in (("one two", 0), ("three four", 2)):
        assert complete(server, prompt=prompt, temperature=2, seed=5).json()["choices"][0]["text"] == answer["choices"][first]["text"]


def test_prompts_of_ids_and_of_text_are_the_same(server):
    tokens = ids(server, "one two")
    texts = [complete(server, prompt=prompt).json()["choices"][0]["text"] for prompt in ("one two", ["one two"], tokens, [tokens])]
    assert len(set(texts)) == 1


def test_best_of_shows_the_likeliest(server):
    hot = {"temperature": 2, "seed": 3, "logprobs": 0, "max_tokens": 10}
    mean = lambda choice: sum(choice["logprobs"]["token_logprobs"]) / len(choice["logprobs"]["token_logprobs"])
    every = [mean(choice) for choice in complete(server, n=6, **hot).json()["choices"]]
    best = [mean(choice) for choice in complete(server, n=2, best_of=6, **hot).json()["choices"]]
    assert best == sorted(every, reverse=True)[:2]
    assert complete(server, n=3, best_of=2).status == 400 and complete(server, best_of=2, stream=True).status == 400


def test_log_probabilities_sum_to_one_and_the_greedy_token_is_the_first_of_the_top(server):
    tokens = chat(server, logprobs=True, top_logprobs=20).json()["choices"][0]["logprobs"]["content"]
    for token in tokens:
        top = token["top_logprobs"]
        assert len(top) == 20 and top[0]["token"] == token["token"] and top[0]["logprob"] == token["logprob"]
        assert 0.9 < sum(math.exp(entry["logprob"]) for entry in top) <= 1.0001
        assert [entry["logprob"] for entry in top] == sorted((entry["logprob"] for entry in top), reverse=True)
        assert bytes(token["bytes"]).decode(errors="replace") == token["token"] or "\ufffd" in token["token"]


def test_log_probabilities_are_the_models_own_whatever_the_temperature(server):
    cold = complete(server, logprobs=0, max_tokens=1).json()["choices"][0]["logprobs"]
    hot = complete(server, logprobs=0, max_tokens=1, temperature=1.7, top_k=1).json()["choices"][0]["logprobs"]
    assert cold["token_logprobs"] == hot["token_logprobs"]


def test_a_seed_repeats_a_reply_and_another_seed_does_not(server):
    hot = {"temperature": 2, "max_tokens": 30}
    one, again, other = (content(chat(server, seed=seed, **hot)) for seed in (7, 7, 8))
    assert one == again != other
    assert len({content(chat(server, **hot)) for _ in range(4)}) > 1  # without a seed: another each time


def test_a_stop_text_ends_the_reply_and_is_not_shown_unless_asked_for(server):
    whole = content(chat(server))
    stop = whole[5:9]
    answer = chat(server, stop=[stop, "no such text"]).json()["choices"][0]
    assert (
        answer["message"]["content"] == whole[: whole.index(stop)] and answer["finish_reason"] == "stop" and answer["stop_reason"] == stop
    )
    assert content(chat(server, stop=stop, include_stop_str_in_output=True)) == whole[: whole.index(stop) + len(stop)]
    streamed = "".join(event["choices"][0]["delta"].get("content", "") for event in chat(server, stop=stop, stream=True).events()[:-1])
    assert streamed == whole[: whole.index(stop)]


def test_a_stop_token_ends_the_reply_and_is_told(server):
    tokens = chat(server, return_token_ids=True).json()["choices"][0]["token_ids"]
    answer = chat(server, stop_token_ids=[tokens[4]], return_token_ids=True).json()["choices"][0]
    assert answer["finish_reason"] == "stop" and answer["stop_reason"] == tokens[4]
    assert answer["token_ids"] == tokens[: tokens.index(tokens[4])]


def test_echo_scores_the_prompt_as_benchmarks_need_it(server):
    answer = complete(server, prompt="one two three", echo=True, logprobs=3, max_tokens=0).json()
    [choice] = answer["choices"]
    lists = choice["logprobs"]
    assert choice["text"] == "one two three" == "".join(lists["tokens"]) and answer["usage"]["completion_tokens"] == 0
    assert lists["token_logprobs"][0] is None and all(value < 0 for value in lists["token_logprobs"][1:])
    assert lists["text_offset"] == [sum(len(token) for token in lists["tokens"][:i]) for i in range(len(lists["tokens"]))]
    longer = complete(server, prompt="one two three", echo=True, logprobs=3, max_tokens=2).json()["choices"][0]
    assert longer["logprobs"]["token_logprobs"][:13] == lists["token_logprobs"] and longer["text"].startswith("one two three")


def test_the_score_of_a_text_is_the_same_whether_it_was_written_or_given(server):
    """What echo says of a text is what the model said when it wrote it: prompts and replies are computed alike."""
    written = complete(server, prompt="one two", logprobs=0, max_tokens=10).json()["choices"][0]
    given = complete(server, prompt="one two" + written["text"], logprobs=0, echo=True, max_tokens=0).json()["choices"][0]
    assert given["logprobs"]["token_logprobs"][7:] == written["logprobs"]["token_logprobs"]


def test_prompt_logprobs_name_each_token_of_the_prompt(server):
    answer = chat(server, prompt_logprobs=2, return_token_ids=True, max_tokens=1).json()
    scored = answer["prompt_logprobs"]
    assert len(scored) == len(answer["prompt_token_ids"]) and scored[0] is None
    assert all(str(token) in entry for token, entry in zip(answer["prompt_token_ids"][1:], scored[1:]))


def test_a_bias_forbids_a_token_or_forces_it(server):
    first, *_ = chat(server, return_token_ids=True).json()["choices"][0]["token_ids"]
    without = chat(server, return_token_ids=True, logit_bias={str(first): -100}).json()["choices"][0]["token_ids"]
    assert first not in without
    forced = ids(server, "Q")[0]
    assert set(chat(server, return_token_ids=True, max_tokens=5, logit_bias={str(forced): 100}).json()["choices"][0]["token_ids"]) == {
        forced
    }
    assert chat(server, logit_bias={"99999999": 1}).status == 400 and chat(server, logit_bias={"x": 1}).status == 400


def test_allowed_tokens_are_the_only_ones(server):
    tokens = set(ids(server, "abc"))
    got = chat(server, allowed_token_ids=list(tokens), return_token_ids=True, ignore_eos=True, max_tokens=9).json()["choices"][0][
        "token_ids"
    ]
    assert len(got) == 9 and set(got) <= tokens


def test_ignoring_the_end_writes_to_the_limit(server):
    answer = chat(server, ignore_eos=True, max_tokens=90).json()
    assert answer["usage"]["completion_tokens"] == 90 and answer["choices"][0]["finish_reason"] == "length"


def test_min_tokens_puts_off_the_end_but_not_for_ever(server):
    short = chat(server).json()["usage"]["completion_tokens"]
    longer = chat(server, min_tokens=short + 10, max_tokens=200).json()["usage"]["completion_tokens"]
    assert longer >= short + 10
    assert chat(server, min_tokens=20, max_tokens=10).status == 400


def test_a_limit_beyond_the_window_is_clamped_aloud(server):
    answer = chat(server, max_tokens=5000).json()
    assert answer["choices"][0]["finish_reason"] == "stop" and [warning["param"] for warning in answer["warnings"]] == ["max_tokens"]
    filled = chat(server, max_tokens=5000, ignore_eos=True).json()
    assert filled["usage"]["total_tokens"] == 1024 and filled["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    "name, low, high",
    [
        ("temperature", -0.1, 2.5),
        ("top_p", 0, 1.1),
        ("min_p", -0.1, 1.1),
        ("presence_penalty", -2.1, 2.1),
        ("frequency_penalty", -2.1, 2.1),
        ("n", 0, 129),
        ("top_logprobs", -1, 21),
        ("top_k", -2, None),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(server, name, low, high):
    for value in (low, high):
        if value is not None and (name, value) != ("temperature", 2.5):  # vLLM knows no upper bound of the temperature
            answer = chat(server, **{"logprobs": True, name: value})
            assert answer.status == 400 and answer.json()["error"]["param"] == name


@pytest.mark.parametrize(
    "form",
    [
        {"structured_outputs": {"choice": ["violet", "orange"]}},
        {"guided_choice": ["violet", "orange"]},
        {"guided_regex": "violet|orange"},
        {"structured_outputs": {"regex": "(violet|orange)"}},
        {"guided_grammar": 'root ::= "violet" | "orange"'},
        {"guided_json": {"enum": ["violet", "orange"]}},
    ],
)
def test_every_way_to_say_what_a_reply_may_be_is_heeded(server, form):
    answer = chat(server, **form)
    assert answer.status == 200 and content(answer).strip('"') in ("violet", "orange")
    assert answer.json()["choices"][0]["finish_reason"] == "stop"


def test_a_thinking_budget_ends_the_thought_and_the_answer_comes(server):
    free = chat(server, messages=COUNT, chat_template_kwargs={}, max_tokens=200).json()
    tight = chat(server, messages=COUNT, chat_template_kwargs={}, thinking_budget=4, max_tokens=200).json()
    thought, cut_thought = (answer["choices"][0]["message"]["reasoning"] for answer in (free, tight))
    begun, closing = cut_thought.split("\n\n")
    assert len(begun) <= 4 < len(thought) and thought.startswith(begun) and "thought long enough" in closing
    assert tight["choices"][0]["message"]["content"]


def test_one_call_at_most_where_parallel_calls_are_off(server):
    tool = {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
    ask = [{"role": "user", "content": "What is the weather in Paris and what is the weather in London?"}]
    calls = chat(server, messages=ask, tools=[tool], tool_choice="required", parallel_tool_calls=False, max_tokens=300).json()["choices"][
        0
    ]["message"]["tool_calls"]
    assert len(calls) == 1 and isinstance(json.loads(calls[0]["function"]["arguments"]), dict)


def test_log_probabilities_are_of_the_contents_tokens_and_not_of_the_thoughts(server):
    choice = chat(server, messages=COUNT, chat_template_kwargs={}, logprobs=True, max_tokens=120).json()["choices"][0]
    assert "".join(token["token"] for token in choice["logprobs"]["content"]).strip() == choice["message"]["content"]


def test_a_schema_that_cannot_be_met_is_refused_with_the_fields_name(server):
    answer = chat(server, response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nothing"}}})
    assert answer.status == 400 and answer.json()["error"]["param"].startswith("response_format")
