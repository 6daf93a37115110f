"""Anthropic's API, through its own Python client and as it is on the wire."""

import json

import pytest

GREEDY = {"temperature": 0}  # the newest client has no such argument
MODEL = "quern-mini"
QUESTION = [{"role": "user", "content": 'In the word "berry", how many R\'s are there?'}]
WEATHER = [{"role": "user", "content": "What's the weather in Paris?"}]
TOOL = {"name": "get_weather", "description": "Get the weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


@pytest.fixture(scope="module")
def anthropic():
    return pytest.importorskip("anthropic")


@pytest.fixture(scope="module")
def client(anthropic, server):
    return anthropic.Anthropic(base_url=server.url, api_key="any", max_retries=0)


def ask(server, **fields):
    return server.post("/v1/messages", {"model": MODEL, "max_tokens": 400, "temperature": 0, "messages": QUESTION} | fields,
                       {"anthropic-version": "2023-06-01"})


def test_a_message_has_a_thought_and_a_text(client):
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION)
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].signature.startswith("q1:") and "<" not in message.content[1].text
    assert (message.type, message.role, message.stop_reason, message.stop_sequence) == ("message", "assistant", "end_turn", None)
    assert message.usage.input_tokens + message.usage.cache_read_input_tokens > 10 and message.usage.output_tokens > 5


def test_a_stream_makes_the_message_that_a_whole_answer_is(client):
    whole = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION)
    with client.messages.stream(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION) as stream:
        kinds = [event.type for event in stream]
        streamed = stream.get_final_message()
    assert [(block.type, getattr(block, "text", None), getattr(block, "thinking", None)) for block in streamed.content] == [
        (block.type, getattr(block, "text", None), getattr(block, "thinking", None)) for block in whole.content]
    assert streamed.stop_reason == "end_turn" and streamed.usage.output_tokens == whole.usage.output_tokens
    assert streamed.content[0].signature.startswith("q1:")
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"


def test_the_events_of_a_stream_come_in_order_and_blocks_do_not_overlap(server):
    reply = ask(server, stream=True)
    assert reply.headers["content-type"].startswith("text/event-stream")
    names = [line[len("event: "):] for line in reply.text.splitlines() if line.startswith("event: ")]
    events = reply.events()
    assert names == [event["type"] for event in events]
    assert names[:2] == ["message_start", "ping"] and names[-2:] == ["message_delta", "message_stop"]
    assert events[0]["message"]["content"] == [] and events[0]["message"]["stop_reason"] is None
    open_block, begun = None, 0
    for event in events:
        if event["type"] == "content_block_start":
            assert open_block is None and event["index"] == begun
            open_block, begun = event["index"], begun + 1
        elif event["type"] == "content_block_delta":
            assert event["index"] == open_block
        elif event["type"] == "content_block_stop":
            assert event["index"] == open_block
            open_block = None
    assert begun == 2 and open_block is None


@pytest.mark.parametrize("choice", [None, {"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "get_weather"}])
def test_a_tool_is_used_and_its_result_answered(client, choice):
    extra = {} if choice is None else {"tool_choice": choice}
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=WEATHER, tools=[TOOL], **extra)
    use = message.content[-1]
    assert (use.type, use.name, use.input, message.stop_reason) == ("tool_use", "get_weather", {"city": "Paris"}, "tool_use")
    assert use.id.startswith("toolu_")
    assert not [block for block in message.content if block.type == "text" and not block.text.strip()]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": [{"type": "text", "text": "sunny, 20 degrees"}]}]}
    answer = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, tools=[TOOL],
                                    messages=[*WEATHER, {"role": "assistant", "content": message.content}, result])
    assert answer.stop_reason == "end_turn" and answer.content[-1].type == "text"


def test_a_streamed_tool_use_is_the_same_one(client):
    with client.messages.stream(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=WEATHER, tools=[TOOL]) as stream:
        message = stream.get_final_message()
    use = message.content[-1]
    assert (use.type, use.name, use.input, message.stop_reason) == ("tool_use", "get_weather", {"city": "Paris"}, "tool_use")


def test_tool_choice_none_uses_none(client):
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=200, messages=WEATHER, tools=[TOOL], tool_choice={"type": "none"})
    assert message.stop_reason in ("end_turn", "max_tokens") and all(block.type != "tool_use" for block in message.content)


def test_thinking_can_be_turned_off_hidden_and_bounded(client, server):
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION, thinking={"type": "disabled"})
    assert [block.type for block in message.content] == ["text"]
    hidden = ask(server, thinking={"type": "adaptive", "display": "omitted"}).json()
    assert hidden["content"][0]["thinking"] == "" and hidden["content"][0]["signature"]
    streamed = [event for event in ask(server, stream=True, thinking={"type": "adaptive", "display": "omitted"}).events()
                if event["type"] == "content_block_delta"]
    assert all(event["delta"]["type"] != "thinking_delta" for event in streamed)
    bounded = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION, thinking={"type": "enabled", "budget_tokens": 5})
    assert bounded.content[0].thinking.endswith("I have thought long enough and will answer now.") and bounded.content[1].type == "text"


def test_a_stop_sequence_ends_the_text_and_is_named(client):
    whole = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION, thinking={"type": "disabled"})
    word = whole.content[0].text.split()[1]
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=400, messages=QUESTION, thinking={"type": "disabled"},
                                     stop_sequences=[word])
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", word)
    assert whole.content[0].text.startswith(message.content[0].text) and word not in message.content[0].text


def test_max_tokens_ends_a_message_and_zero_only_reads_the_prompt(client, server):
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=3, messages=QUESTION)
    assert message.stop_reason == "max_tokens" and message.usage.output_tokens == 3
    nothing = ask(server, max_tokens=0).json()
    assert (nothing["content"], nothing["stop_reason"], nothing["usage"]["output_tokens"]) == ([], "max_tokens", 0)


def test_the_last_turn_of_the_assistant_is_continued(client):
    begun = [*QUESTION, {"role": "assistant", "content": "There are"}]
    message = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=50, messages=begun)
    assert message.content and not message.content[-1].text.startswith("There are")


def test_system_blocks_and_turns_of_one_role_are_read(server):
    plain = ask(server, system="Be brief.", messages=[{"role": "user", "content": "Hello!\nWho are you?"}]).json()
    blocks = ask(server, system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
                 messages=[{"role": "user", "content": "Hello!"}, {"role": "user", "content": [{"type": "text", "text": "Who are you?"}]}]).json()
    assert plain["content"][-1] == blocks["content"][-1] and "warnings" not in blocks


def test_tokens_are_counted_as_they_are_used(client):
    used = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=1, messages=WEATHER, tools=[TOOL], system="Be brief.").usage
    counted = client.messages.count_tokens(model=MODEL, messages=WEATHER, tools=[TOOL], system="Be brief.")
    assert counted.input_tokens == used.input_tokens + used.cache_read_input_tokens + used.cache_creation_input_tokens


def test_a_prompt_seen_before_is_read_from_the_cache(client):
    long = [{"role": "user", "content": "Hello! " * 100}]
    client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=1, messages=long)
    usage = client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=1, messages=long).usage
    assert usage.cache_read_input_tokens > usage.input_tokens


def test_a_schema_shapes_the_text(server):
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"], "additionalProperties": False}
    reply = ask(server, output_config={"format": {"type": "json_schema", "schema": schema}}).json()
    assert list(json.loads(reply["content"][-1]["text"])) == ["count"]


def test_models_are_listed_as_anthropic_does(client):
    models = client.models.list()
    assert [(model.type, model.id) for model in models] == [("model", MODEL)]
    assert client.models.retrieve(MODEL).id == MODEL


@pytest.mark.parametrize("fields, status, kind, words", [
    ({"max_tokens": None}, 400, "invalid_request_error", "max_tokens is required and must be positive"),
    ({"max_tokens": -1}, 400, "invalid_request_error", "max_tokens"),
    ({"model": "nothing"}, 404, "not_found_error", "model: nothing"),
    ({"messages": []}, 400, "invalid_request_error", "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, 400, "invalid_request_error", "messages[0].role"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]}, 400, "invalid_request_error", "send text"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, 400, "invalid_request_error", "tools[0].type"),
    ({"tool_choice": {"type": "tool", "name": "nothing"}}, 400, "invalid_request_error", "tool_choice.name"),
    ({"tool_choice": {"type": "any"}}, 400, "invalid_request_error", "tool_choice"),
    ({"temperature": "hot"}, 400, "invalid_request_error", "temperature"),
    ({"messages": [{"role": "user", "content": "word " * 100_000}]}, 400, "invalid_request_error", "prompt is too long: "),
])
def test_errors_are_anthropics(server, fields, status, kind, words):
    reply = ask(server, **fields)
    body = reply.json()
    assert reply.status == status, body
    assert body["type"] == "error" and body["error"]["type"] == kind and words in body["error"]["message"]
    assert body["request_id"] == reply.headers["request-id"]


def test_the_client_raises_its_own_errors(anthropic, client):
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nothing", max_tokens=1, messages=QUESTION)
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        client.messages.create(model=MODEL, extra_body=GREEDY, max_tokens=1, messages=[{"role": "user", "content": "word " * 100_000}])


def test_what_has_no_effect_is_reported(server):
    reply = ask(server, mystery=1)
    assert [warning["param"] for warning in reply.json()["warnings"]] == ["mystery"]
    last = [event for event in ask(server, mystery=1, stream=True).events() if event["type"] == "message_delta"]
    assert [warning["param"] for warning in last[0]["warnings"]] == ["mystery"]
