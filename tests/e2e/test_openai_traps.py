"""What programs stumble over that speak OpenAI's API: one test for each thing that has broken one of them."""

import base64
import gzip
import json
import struct
import time

import pytest

MODEL = "quern-mini"
COUNT = [{"role": "user", "content": 'In the word "strawberry", how many R\'s are there?'}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": text,
            "parameters": {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]},
        },
    }
    for name, text, argument in [("get_weather", "Get the weather in a city", "city"), ("get_time", "Get the time in a city", "city")]
]


def chat(server, headers=None, path="/v1/chat/completions", **body):
    return server.post(path, {"model": MODEL, "messages": COUNT, "temperature": 0, "max_tokens": 100} | body, headers)


def test_every_event_of_a_stream_is_one_data_line_and_the_last_is_done(server):  # 25
    answer = chat(server, stream=True)
    assert answer.headers["Content-Type"].split(";")[0] == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["X-Accel-Buffering"] == "no"
    events = answer.text.split("\n\n")
    assert events[-1] == "" and events[-2] == "data: [DONE]"
    assert all(event.startswith("data: {") and "\n" not in event for event in events[:-2])


def test_silence_is_filled_with_comments_only(server):  # 25
    answer = chat(server, stream=True, sse_ping_interval=1)
    assert all(line == "" or line == ":" or line.startswith("data: ") for line in answer.text.split("\n"))


def test_no_line_of_a_stream_reaches_64_kib(server):  # 26
    answer = server.post("/v1/completions", {"model": MODEL, "prompt": "é\x01" * 300, "echo": True, "stream": True, "max_tokens": 2})
    assert answer.status == 200 and max(len(line) for line in answer.body.split(b"\n")) < 65536


def test_role_comes_first_then_text_then_an_empty_delta_then_usage(server):  # 27
    events = chat(server, stream=True, stream_options={"include_usage": True}).events()
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert events[-1] == "[DONE]"
    usage, finish = events[-2], events[-3]
    assert usage["choices"] == [] and usage["usage"]["total_tokens"] > 0
    assert finish["choices"][0]["delta"] == {} and finish["choices"][0]["finish_reason"] == "stop"
    assert all(event["usage"] is None for event in events[:-2])
    assert all(event["choices"][0]["finish_reason"] is None for event in events[:-3])


def test_no_usage_chunk_comes_unasked(server):  # 27
    events = chat(server, stream=True).events()
    assert events[-2]["choices"][0]["delta"] == {} and all(event["choices"] for event in events[:-1])


def test_only_the_first_fragment_of_a_call_has_id_and_name_and_all_have_the_index(server):  # 28
    events = chat(
        server,
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=TOOLS,
        tool_choice="required",
        stream=True,
        max_tokens=300,
    ).events()[:-1]
    fragments = [call for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls", [])]
    first, *later = fragments
    assert first["type"] == "function" and first["id"] and first["function"]["name"] and first["index"] == 0
    assert later and all(
        set(call) == {"index", "function"} and set(call["function"]) == {"arguments"} for call in later if "id" not in call
    )
    assert len([call for call in fragments if "id" in call]) == len({call["index"] for call in fragments})
    assert [choice["finish_reason"] for choice in events[-1]["choices"]] == ["tool_calls"]


def test_reasoning_goes_out_under_both_names_and_comes_in_under_three(server):  # 29
    message = chat(server).json()["choices"][0]["message"]
    assert message["reasoning_content"] == message["reasoning"] and message["reasoning"]
    assert "<think>" not in message["content"]
    prompts = set()
    for name in ("reasoning_content", "reasoning", "thinking"):
        history = COUNT + [
            {"role": "assistant", "content": message["content"], name: message["reasoning"]},
            {"role": "user", "content": "Thanks!"},
        ]
        prompts.add(chat(server, messages=history, return_prompt_text=True, max_tokens=1).json()["prompt_text"])
    assert len(prompts) == 1


def test_with_thinking_off_the_content_is_plain(server):  # 29
    for off in ({"chat_template_kwargs": {"enable_thinking": False}}, {"enable_thinking": False}, {"reasoning_effort": "none"}):
        message = chat(server, **off).json()["choices"][0]["message"]
        assert "reasoning" not in message and "reasoning_content" not in message and "think>" not in message["content"]


def test_content_is_a_string_and_null_only_beside_calls(server):  # 30
    assert isinstance(chat(server).json()["choices"][0]["message"]["content"], str)
    assert chat(server, max_tokens=1).json()["choices"][0]["message"]["content"] == ""
    called = chat(server, tools=TOOLS, tool_choice="required", max_tokens=300).json()["choices"][0]["message"]
    assert called["content"] is None and called["tool_calls"]


@pytest.mark.parametrize(
    "status, path, body",
    [
        (400, "/v1/chat/completions", {"model": MODEL}),
        (400, "/v1/chat/completions", {"model": MODEL, "messages": "hello"}),
        (400, "/v1/chat/completions", {"messages": COUNT, "model": MODEL, "temperature": "hot"}),
        (400, "/v1/chat/completions", {"messages": COUNT, "model": MODEL, "top_p": 7}),
        (400, "/v1/chat/completions", b"{"),
        (400, "/v1/chat/completions", b""),
        (400, "/v1/completions", {"model": MODEL}),
        (400, "/v1/completions", {"model": MODEL, "prompt": "a", "n": 0}),
        (404, "/v1/chat/completions", {"messages": COUNT, "model": "no-such-model"}),
        (404, "/v1/no-such-path", {}),
    ],
)
def test_an_error_has_its_status_and_all_four_keys(server, status, path, body):  # 31
    answer = server.post(path, body)
    error = answer.json()["error"]
    assert answer.status == status and error["message"] and error["type"] == "invalid_request_error"
    assert {"message", "type", "param", "code"} <= set(error) and not isinstance(error["code"], int)


def test_an_error_of_a_streamed_request_comes_before_the_stream(server):  # 31
    answer = chat(server, stream=True, temperature=-1)
    assert answer.status == 400 and answer.json()["error"]["param"] == "temperature"


def test_a_prompt_beyond_the_window_says_the_words_and_numbers_that_agents_read(server):  # 32
    answer = chat(server, messages=[{"role": "user", "content": "word " * 400}], max_tokens=10)
    error = answer.json()["error"]
    assert answer.status == 400 and error["code"] == "context_length_exceeded" and error["type"] == "invalid_request_error"
    count = error["n_prompt_tokens"]
    assert count > error["n_ctx"] == 1024
    assert error["message"] == (
        f"This model's maximum context length is 1024 tokens. However, you requested 10 output tokens and your prompt contains {count} "
        f"input tokens, for a total of {count + 10} tokens. Please reduce the length of the input prompt or the number "
        "of requested output tokens."
    )


def test_embeddings_in_base64_are_little_endian_floats(server):  # 34
    plain, packed = (
        server.post("/v1/embeddings", {"model": MODEL, "input": "a text", "encoding_format": form}).json()["data"][0]["embedding"]
        for form in ("float", "base64")
    )
    assert list(struct.unpack(f"<{len(plain)}f", base64.b64decode(packed))) == pytest.approx(plain, abs=1e-7)


def test_both_names_of_the_limit_stop_as_text_or_list_null_as_unset_and_unknown_fields_work(server):  # 35
    for limit in ({"max_tokens": 3}, {"max_tokens": None, "max_completion_tokens": 3}):
        assert chat(server, **limit).json()["usage"]["completion_tokens"] == 3
    texts = {chat(server, stop=stop).json()["choices"][0]["message"]["content"] for stop in ("R's", ["R's"], ["no such text", "R's"])}
    assert texts == {"There are 3 "}
    assert chat(server, stop=None, top_p=None, seed=None, tools=None, logit_bias=None, stream=None).status == 200
    answer = chat(server, no_server_knows_this={"a": 1})
    assert answer.status == 200 and [warning["param"] for warning in answer.json()["warnings"]] == ["no_server_knows_this"]
    assert answer.headers["X-Quern-Warnings"] == "1"
    assert chat(server, path="/v1/chat/completions?strict=1", no_server_knows_this=1).status == 400


def test_models_are_listed_at_once_with_what_programs_read(server):  # 36
    times = []
    for _ in range(5):
        begun = time.monotonic()
        listed = server.get("/v1/models").json()
        times.append(time.monotonic() - begun)
    assert min(times) < 0.01
    model = next(entry for entry in listed["data"] if entry["id"] == MODEL)
    assert listed["object"] == "list" and model["object"] == "model" and model["owned_by"] and model["max_model_len"] == 1024


def test_a_models_name_may_hold_slashes_and_colons_encoded_or_not(server):  # 37
    assert server.get("/v1/models/quern-mini:latest").status == 200
    assert server.get("/v1//models/quern%2Dmini").json()["id"] == MODEL
    for name in ("some/one:7b", "some%2Fone%3A7b"):
        answer = server.get("/v1/models/" + name)
        assert (
            answer.status == 404
            and answer.json()["error"]["code"] == "model_not_found"
            and "some/one:7b" in answer.json()["error"]["message"]
        )
    assert server.get("/v1/v1/models").status == 404


def test_answers_are_never_compressed(server):  # 38
    for stream in (False, True):
        answer = chat(server, {"Accept-Encoding": "gzip, br, zstd"}, stream=stream)
        assert answer.status == 200 and "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer None"},
        {"Authorization": "Bearer ollama"},
        {"x-api-key": "any"},
        {"api-key": "any"},
    ],
)
def test_any_credential_or_none_will_do_where_no_key_is_set(server, header):  # 39
    assert chat(server, header, max_tokens=1).status == 200


def test_a_compressed_question_is_answered(server):  # 40
    body = json.dumps({"model": MODEL, "messages": COUNT, "max_tokens": 1}).encode()
    assert server.post("/v1/chat/completions", gzip.compress(body), {"Content-Encoding": "gzip"}).status == 200


def test_a_question_whose_sender_waits_for_leave_is_answered(server):  # 40
    body = json.dumps({"model": MODEL, "messages": COUNT, "max_tokens": 1}).encode()
    connection = server.connect()
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(25, 0x2).startswith(b"HTTP/1.1 100 Continue")  # MSG_PEEK
    connection.send(body)
    assert connection.getresponse().status == 200
    connection.close()


def test_a_form_type_on_the_question_does_no_harm(server):  # curl -d
    assert (
        server.post(
            "/v1/chat/completions",
            json.dumps({"model": MODEL, "messages": COUNT, "max_tokens": 1}),
            {"Content-Type": "application/x-www-form-urlencoded"},
        ).status
        == 200
    )
