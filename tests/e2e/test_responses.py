"""OpenAI's /v1/responses, through its own Python client and as it is on the wire."""

import json

import pytest

MODEL = "quern-mini"
QUESTION = 'In the word "berry", how many R\'s are there?'
WEATHER = "What's the weather in Paris?"
TOOL = {"type": "function", "name": "get_weather", "description": "Get the weather of a city", "strict": False,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
KEYS = {"id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "max_output_tokens", "model", "output",
        "parallel_tool_calls", "previous_response_id", "reasoning", "store", "temperature", "text", "tool_choice", "tools", "top_p",
        "truncation", "usage", "user", "metadata"}


@pytest.fixture(scope="module")
def openai():
    return pytest.importorskip("openai")


@pytest.fixture(scope="module")
def client(openai, server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key="any", max_retries=0)


def ask(server, **fields):
    return server.post("/v1/responses", {"model": MODEL, "input": QUESTION, "temperature": 0} | fields)


def test_a_response_has_a_thought_and_a_message(client):
    response = client.responses.create(model=MODEL, input=QUESTION, temperature=0)
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.output[0].summary[0].text and response.output_text == response.output[1].content[0].text != ""
    assert (response.status, response.error, response.incomplete_details) == ("completed", None, None)
    usage = response.usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens and 0 < usage.output_tokens_details.reasoning_tokens < usage.output_tokens


def test_every_key_is_there(server):
    body = ask(server, instructions="Be brief.", metadata={"a": "b"}, user="me").json()
    assert KEYS <= set(body)
    assert (body["object"], body["store"], body["instructions"], body["metadata"], body["user"]) == ("response", False, "Be brief.", {"a": "b"}, "me")
    assert body["id"].startswith("resp_") and [item["id"].split("_")[0] for item in body["output"]] == ["rs", "msg"]


def test_a_stream_makes_the_response_that_a_whole_answer_is(client):
    whole = client.responses.create(model=MODEL, input=QUESTION, temperature=0)
    with client.responses.stream(model=MODEL, input=QUESTION, temperature=0) as stream:
        for _ in stream:
            pass
        streamed = stream.get_final_response()
    assert streamed.output_text == whole.output_text and streamed.usage == whole.usage.model_copy(update={
        "input_tokens_details": streamed.usage.input_tokens_details})
    assert [item.type for item in streamed.output] == ["reasoning", "message"]


def test_the_events_of_a_stream_come_in_order(server):
    reply = ask(server, stream=True)
    names = [line[len("event: "):] for line in reply.text.splitlines() if line.startswith("event: ")]
    events = reply.events()
    assert names == [event["type"] for event in events]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    short = [name.removeprefix("response.") for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
    assert short == ["created", "in_progress",
                     "output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done",
                     "reasoning_summary_part.done", "output_item.done",
                     "output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
                     "completed"]
    deltas = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    final = events[-1]["response"]
    assert deltas == final["output"][1]["content"][0]["text"] and final["status"] == "completed"
    items = {event["item"]["id"] for event in events if event["type"] == "response.output_item.added"}
    assert items == {item["id"] for item in final["output"]}


@pytest.mark.parametrize("choice", ["auto", "required", {"type": "function", "name": "get_weather"}])
def test_a_function_is_called_and_its_output_answered(client, choice):
    first = [{"role": "user", "content": WEATHER}]
    response = client.responses.create(model=MODEL, input=first, tools=[TOOL], tool_choice=choice, temperature=0)
    call = response.output[-1]
    assert (call.type, call.name, json.loads(call.arguments), response.status) == ("function_call", "get_weather", {"city": "Paris"}, "completed")
    assert call.call_id.startswith("call_") and call.id.startswith("fc_")
    items = first + [item.model_dump(exclude_none=True) for item in response.output]
    items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 20 degrees"})
    answer = client.responses.create(model=MODEL, input=items, tools=[TOOL], temperature=0)
    assert answer.output_text and all(item.type != "function_call" for item in answer.output)


def test_a_streamed_call_is_the_same_one(client):
    with client.responses.stream(model=MODEL, input=WEATHER, tools=[TOOL], temperature=0) as stream:
        done = [event for event in stream if event.type == "response.function_call_arguments.done"]
        response = stream.get_final_response()
    assert json.loads(done[0].arguments) == json.loads(response.output[-1].arguments) == {"city": "Paris"}


def test_a_limit_leaves_it_incomplete(client, server):
    response = client.responses.create(model=MODEL, input=QUESTION, max_output_tokens=3)
    assert (response.status, response.incomplete_details.reason, response.usage.output_tokens) == ("incomplete", "max_output_tokens", 3)
    assert ask(server, max_output_tokens=3, stream=True).events()[-1]["type"] == "response.incomplete"


def test_reasoning_can_be_turned_off_and_comes_back_in(client, server):
    response = client.responses.create(model=MODEL, input=QUESTION, reasoning={"effort": "none"})
    assert [item.type for item in response.output] == ["message"]
    first = ask(server, include=["reasoning.encrypted_content"]).json()
    assert first["output"][0]["encrypted_content"]
    items = [{"role": "user", "content": QUESTION}, *first["output"], {"role": "user", "content": "Thank you!"}]
    assert ask(server, input=items).status == 200


def test_a_schema_shapes_the_text(client):
    schema = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"], "additionalProperties": False}
    response = client.responses.create(model=MODEL, input=QUESTION, temperature=0,
                                       text={"format": {"type": "json_schema", "name": "count", "schema": schema, "strict": True}})
    assert list(json.loads(response.output_text)) == ["count"]


def test_instructions_are_the_system_message(server):
    told = ask(server, instructions="Be brief.").json()
    said = ask(server, input=[{"role": "developer", "content": "Be brief."}, {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": QUESTION}]}]).json()
    assert told["output"][-1]["content"] == said["output"][-1]["content"] and told["usage"]["input_tokens"] == said["usage"]["input_tokens"]


def test_the_same_request_gets_the_same_text_as_a_chat(client):
    chat = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": QUESTION}], temperature=1, seed=7)
    response = client.responses.create(model=MODEL, input=QUESTION, temperature=1, extra_body={"seed": 7})
    assert response.output_text == chat.choices[0].message.content


def test_log_probabilities_of_the_message(client):
    response = client.responses.create(model=MODEL, input=QUESTION, temperature=0, top_logprobs=2, include=["message.output_text.logprobs"])
    logprobs = response.output[-1].content[0].logprobs
    assert "".join(token.token for token in logprobs).endswith(response.output_text) and len(logprobs[0].top_logprobs) == 2


def test_tokens_are_counted_as_they_are_used(server):
    used = ask(server, max_output_tokens=1).json()["usage"]["input_tokens"]
    counted = server.post("/v1/responses/input_tokens", {"model": MODEL, "input": QUESTION})
    assert counted.json() == {"object": "response.input_tokens", "input_tokens": used}


@pytest.mark.parametrize("fields, status, param", [
    ({"previous_response_id": "resp_1"}, 400, "previous_response_id"),
    ({"conversation": "conv_1"}, 400, "conversation"),
    ({"background": True}, 400, "background"),
    ({"input": None}, 400, "input"),
    ({"input": []}, 400, "input"),
    ({"input": [{"type": "computer_call"}]}, 400, "input[0].type"),
    ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, 400, "input[0].content[0].type"),
    ({"temperature": "hot"}, 400, "temperature"),
    ({"tool_choice": "required"}, 400, "tool_choice"),
    ({"truncation": "maybe"}, 400, "truncation"),
    ({"model": "nothing"}, 404, "model"),
])
def test_errors_name_the_field(server, fields, status, param):
    reply = ask(server, **fields)
    assert reply.status == status and reply.json()["error"]["param"] == param, reply.json()


def test_a_prompt_that_does_not_fit_is_refused_unless_it_may_be_cut(openai, client):
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        client.responses.create(model=MODEL, input="word " * 100_000)
    items = [{"role": "user", "content": "word " * 3000}] * 20 + [{"role": "user", "content": "Hello!"}]
    assert client.responses.create(model=MODEL, input=items, truncation="auto", max_output_tokens=5).status in ("completed", "incomplete")


def test_hosted_tools_are_left_out_with_a_warning(server):
    body = ask(server, tools=[{"type": "web_search"}, TOOL]).json()
    assert [warning["param"] for warning in body["warnings"]] == ["tools[0]"] and [tool["name"] for tool in body["tools"]] == ["get_weather"]
