"""Ollama's API as its clients know it: every trap of theirs that this server has to step around, one test each, over plain HTTP."""

import json
import math
import re

from server import Server

MODEL = "quern-mini"
STRAWBERRY = 'In the word "strawberry", how many R\'s are there?'
WEATHER = {"type": "function",
           "function": {"name": "get_weather", "description": "Get the weather",
                        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
GREEDY = {"temperature": 0}


def ask(server, path, body=None, headers=None):
    """(status, JSON) of a request: a POST if it has a body."""
    reply = server.get(path, headers) if body is None else server.post(path, body, headers)
    return reply.status, json.loads(reply.body or b"null")


def chat(server, content=STRAWBERRY, **more):
    reply = server.post("/api/chat", {"model": MODEL, "messages": [{"role": "user", "content": content}], "options": GREEDY} | more)
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in reply.text.split("\n")[:-1]]  # an empty line is an error


def whole(server, path, body):
    status, reply = ask(server, path, {"model": MODEL, "options": GREEDY, "stream": False} | body)
    assert status == 200, reply
    return reply


def test_the_root_says_that_it_runs(server):
    for method in ("GET", "HEAD"):
        reply = server.ask(method, "/")
        assert reply.status == 200 and reply.headers["Content-Type"].startswith("text/plain")
        assert reply.body == (b"Ollama is running" if method == "GET" else b"")


def test_the_version_is_dotted_integers(server):
    status, reply = ask(server, "/api/version")
    assert status == 200 and [int(part) for part in reply["version"].split(".")] and reply["quern_version"]


def test_a_stream_is_one_object_a_line_and_no_empty_line(server):
    lines = chat(server)
    assert len(lines) > 3
    assert all(line["model"] == MODEL and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line["created_at"]) for line in lines)
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    for line in lines[:-1]:  # an intermediate line without anything would end the chat in Open WebUI
        assert line["message"]["content"] or line["message"].get("thinking") or line["message"].get("tool_calls")


def test_the_last_line_has_no_content_and_all_numbers(server):
    for _ in range(2):  # the second time the prompt is cached
        lines = chat(server)
        last = lines[-1]
        assert last["message"] == {"role": "assistant", "content": ""}
        assert last["done_reason"] == "stop"
        for name in ("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration"):
            assert type(last[name]) is int and last[name] >= 0, name
            assert all(name not in line for line in lines[:-1])
        assert last["prompt_eval_count"] > 0 and last["eval_count"] > 0


def test_a_whole_reply_is_the_stream_joined(server):
    lines = chat(server)
    reply = whole(server, "/api/chat", {"messages": [{"role": "user", "content": STRAWBERRY}]})
    assert reply["message"]["content"] == "".join(line["message"]["content"] for line in lines)
    assert reply["message"]["thinking"] == "".join(line["message"].get("thinking", "") for line in lines)
    assert "3" in reply["message"]["content"] and reply["message"]["thinking"] and reply["done"] is True


def test_a_tool_call_comes_whole_in_a_line_that_is_not_the_last(server):
    lines = chat(server, "What is the weather in Paris?", tools=[WEATHER])
    calls = [line for line in lines if "tool_calls" in line["message"]]
    assert len(calls) == 1 and calls[0]["done"] is False
    call = calls[0]["message"]["tool_calls"][0]
    assert call["function"] == {"index": 0, "name": "get_weather", "arguments": {"city": "Paris"}}
    assert re.fullmatch(r"call_[a-z0-9]{8}", call["id"])
    assert "tool_calls" not in lines[-1]["message"] and lines[-1]["done_reason"] == "stop"


def test_answers_of_tools_go_back_by_name_or_by_id(server):
    call = {"id": "call_abcd1234", "function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
    prompts = []
    for answer in ({"tool_name": "get_weather"}, {"tool_call_id": "call_abcd1234"}, {}):
        messages = [{"role": "user", "content": "What is the weather in Paris?"}, {"role": "assistant", "content": "", "tool_calls": [call]},
                    {"role": "TOOL", "content": "sunny", **answer}]
        reply = whole(server, "/api/chat", {"messages": messages, "tools": [WEATHER], "_debug_render_only": True})
        prompts.append(reply["_debug_info"]["rendered_template"])
    assert "<tool_response>\nsunny\n</tool_response>" in prompts[0] and len(set(prompts)) == 1


def test_forced_and_forbidden_calls(server):
    forced = whole(server, "/api/chat", {"messages": [{"role": "user", "content": "Hello!"}], "tools": [WEATHER], "tool_choice": "required"})
    assert [call["function"]["name"] for call in forced["message"]["tool_calls"]] == ["get_weather"]
    never = whole(server, "/api/chat",
                  {"messages": [{"role": "user", "content": "What is the weather in Paris?"}], "tools": [WEATHER], "tool_choice": "none"})
    assert "tool_calls" not in never["message"]


def test_errors_before_the_first_byte_have_a_status(server):
    assert ask(server, "/api/chat", {"model": "nobody", "messages": [{"role": "user", "content": "x"}]}) == (
        404, {"error": "model 'nobody' not found"})
    assert ask(server, "/api/chat", {"messages": []}) == (400, {"error": "model is required"})
    assert ask(server, "/api/generate", {"prompt": "x"}) == (400, {"error": "model is required"})
    assert ask(server, "/api/generate", b"") == (400, {"error": "missing request body"})
    status, reply = ask(server, "/api/generate", b"{")
    assert status == 400 and set(reply) == {"error"}


def test_format_is_unset_json_or_a_schema(server):
    body = {"prompt": "Give me a JSON object with name and age for Ann, 30.", "think": False}
    plain = whole(server, "/api/generate", body)
    assert whole(server, "/api/generate", body | {"format": ""})["response"] == plain["response"]
    assert whole(server, "/api/generate", body | {"format": "json"})["response"].startswith("{")
    schema = {"type": "object", "properties": {"color": {"enum": ["red", "blue"]}}, "required": ["color"], "additionalProperties": False}
    assert re.fullmatch(r'\{\s*"color":\s*"(red|blue)"\s*\}', whole(server, "/api/generate", body | {"format": schema})["response"])
    assert ask(server, "/api/generate", {"model": MODEL, "prompt": "x", "format": 5})[0] == 400


def test_think_is_on_off_or_the_model_s_own_way(server):
    body = {"messages": [{"role": "user", "content": STRAWBERRY}]}
    assert whole(server, "/api/chat", body)["message"].get("thinking")
    assert whole(server, "/api/chat", body | {"think": True})["message"].get("thinking")
    assert whole(server, "/api/chat", body | {"think": "high"})["message"].get("thinking")
    off = whole(server, "/api/chat", body | {"think": False})["message"]
    assert "thinking" not in off and "<think>" not in off["content"]
    assert ask(server, "/api/chat", {"model": MODEL, **body, "think": "loud"}) == (
        400, {"error": 'invalid think value: "loud" (must be "high", "medium", "low", "max", true, or false)'})


def test_keep_alive_takes_every_spelling(server):
    for value in (300, "5m", "1h30m", "300ms", -1, "-1", "-1m", "300"):
        reply = whole(server, "/api/generate", {"prompt": "", "keep_alive": value})
        assert reply["done_reason"] == "load" and reply["done"] is True and reply["response"] == "", value
    assert ask(server, "/api/generate", {"model": MODEL, "prompt": "", "keep_alive": "soon"})[0] == 400


def test_nothing_to_say_loads_and_keep_alive_zero_unloads(server):
    status, reply = ask(server, "/api/chat", {"model": MODEL, "messages": []})  # one object, though streams are the default
    assert status == 200 and reply["done_reason"] == "load" and reply["message"] == {"role": "assistant", "content": ""}
    assert [model["name"] for model in ask(server, "/api/ps")[1]["models"]] == [MODEL]
    status, reply = ask(server, "/api/generate", {"model": MODEL, "keep_alive": 0})
    assert status == 200 and reply["done_reason"] == "unload" and reply["done"] is True
    assert ask(server, "/api/ps")[1]["models"] == []
    assert chat(server, "Hello!")[-1]["done_reason"] == "stop"  # never "load" when there were messages


def test_unknown_options_are_warnings_and_wrong_types_are_errors(server):
    reply = whole(server, "/api/generate", {"prompt": "Hello!", "options": GREEDY | {"use_mlock": True, "tfs_z": 1.0, "mirostat": 0, "frobnicate": 3}})
    params = {warning["param"].strip("'") for warning in reply["warnings"]}
    assert {"options.use_mlock", "options.tfs_z", "options.mirostat", "options.frobnicate"} <= params
    assert ask(server, "/api/generate", {"model": MODEL, "prompt": "x", "options": {"top_k": "many"}}) == (
        400, {"error": 'option "top_k" must be of type integer'})
    assert ask(server, "/api/generate", {"model": MODEL, "prompt": "x", "options": {"temperature": "hot"}}) == (
        400, {"error": 'option "temperature" must be of type float32'})
    assert whole(server, "/api/generate", {"prompt": "Hello!", "options": GREEDY | {"top_p": None}})["done"]


def test_a_window_that_does_not_fit_is_clamped_and_told(server):
    reply = whole(server, "/api/generate", {"prompt": "Hello!", "options": GREEDY | {"num_ctx": 1_000_000}})
    assert any("num_ctx" in warning["param"] and warning["action"] == "clamped" for warning in reply["warnings"])
    assert 0 < ask(server, "/api/ps")[1]["models"][0]["context_length"] < 1_000_000


def test_another_window_loads_nothing_again(server):
    whole(server, "/api/generate", {"prompt": "Hello!", "options": GREEDY | {"num_ctx": 512}})
    assert whole(server, "/api/generate", {"prompt": "Hello!", "options": GREEDY | {"num_ctx": 256}})["load_duration"] < 20_000_000


def test_tags_name_models_twice(server):
    status, reply = ask(server, "/api/tags")
    assert status == 200
    for model in reply["models"]:
        assert model["name"] == model["model"]
        assert re.fullmatch(r"[0-9a-f]{64}", model["digest"])
        assert type(model["size"]) is int and model["size"] > 0
        assert model["details"]["format"] == "gguf" and model["details"]["family"] == "qwen2"
        assert re.fullmatch(r"[\d.]+[KMB]", model["details"]["parameter_size"])
    assert MODEL in [model["name"] for model in reply["models"]]
    assert server.ask("HEAD", "/api/tags").status == 200


def test_show_has_model_info_with_the_context_length(server):
    reply = ask(server, "/api/show", {"model": MODEL})[1]
    assert reply["model_info"]["qwen2.context_length"] > 0 and reply["model_info"]["general.architecture"] == "qwen2"
    assert reply["model_info"]["tokenizer.ggml.tokens"] is None
    assert "tokenizer.chat_template" not in reply["model_info"] and "general.name" not in reply["model_info"]
    assert {"completion", "tools", "thinking"} <= set(reply["capabilities"]) and reply["details"]["family"] == "qwen2"
    assert "tensors" not in reply
    verbose = ask(server, "/api/show", {"model": MODEL, "verbose": True})[1]
    assert len(verbose["model_info"]["tokenizer.ggml.tokens"]) > 1000 and verbose["tensors"][0]["name"]


def test_the_template_tells_sniffing_clients_what_works(server):
    reply = ask(server, "/api/show", {"model": MODEL})[1]
    assert ("tools" in reply["template"]) == ("tools" in reply["capabilities"])
    assert (".Suffix" in reply["template"]) == ("insert" in reply["capabilities"])


def test_parameters_are_lines_that_clients_can_split(server):
    for line in ask(server, "/api/show", {"model": MODEL})[1]["parameters"].splitlines():
        assert re.fullmatch(r'(\S+)\s+((?:".*")|\S+)', line), line


def test_show_takes_name_for_model(server):
    assert ask(server, "/api/show", {"name": MODEL})[1]["details"]["family"] == "qwen2"
    assert ask(server, "/api/show", {"name": "nobody"}) == (404, {"error": "model 'nobody' not found"})
    assert ask(server, "/api/show", {}) == (400, {"error": "model is required"})


def test_copilot_finds_the_name_it_asked_for(server):
    reply = ask(server, "/api/show", {"model": MODEL}, headers={"User-Agent": "GitHubCopilotChat/0.26"})[1]
    assert reply["model_info"]["general.basename"] == MODEL


def test_embed_gives_unit_vectors_and_embeddings_the_model_s_own(server):
    one = whole(server, "/api/embed", {"input": "hello"})
    assert len(one["embeddings"]) == 1 and math.isclose(math.hypot(*one["embeddings"][0]), 1, rel_tol=1e-4)
    two = whole(server, "/api/embed", {"input": ["hello", "good day"]})
    assert two["embeddings"][0] == one["embeddings"][0] and two["prompt_eval_count"] > one["prompt_eval_count"]
    assert type(two["total_duration"]) is int and type(two["load_duration"]) is int
    short = whole(server, "/api/embed", {"input": "hello", "dimensions": 8})
    assert len(short["embeddings"][0]) == 8 and math.isclose(math.hypot(*short["embeddings"][0]), 1, rel_tol=1e-4)
    raw = ask(server, "/api/embeddings", {"model": MODEL, "prompt": "hello"})[1]["embedding"]
    length = math.hypot(*raw)
    assert not math.isclose(length, 1, rel_tol=1e-3)
    assert all(math.isclose(a / length, b, abs_tol=1e-5) for a, b in zip(raw, one["embeddings"][0], strict=True))


def test_nothing_to_embed_is_an_empty_list(server):
    assert whole(server, "/api/embed", {"input": ""})["embeddings"] == []
    assert whole(server, "/api/embed", {"input": []})["embeddings"] == []
    assert ask(server, "/api/embeddings", {"model": MODEL, "prompt": ""}) == (200, {"embedding": []})
    assert ask(server, "/api/embed", {"model": MODEL, "input": 5}) == (400, {"error": "invalid input type"})


def test_names_are_the_same_in_any_case_and_with_the_tag_that_is_implied(server):
    for name in ("Quern-Mini", "quern-mini:latest", "QUERN-MINI:LATEST"):
        assert ask(server, "/api/show", {"model": name})[0] == 200, name
        assert whole(server, "/api/generate", {"model": name, "prompt": "Hello!"})["done"]


# --- beyond the traps ---


def test_generate_wraps_the_prompt_and_raw_does_not(server):
    wrapped = whole(server, "/api/generate", {"prompt": "Hi", "system": "Be kind.", "_debug_render_only": True})["_debug_info"]
    assert wrapped == {"rendered_template": "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
                       "image_count": 0}
    raw = whole(server, "/api/generate", {"prompt": "<|im_start|>user\nHello!<|im_end|>\n<|im_start|>assistant\n", "raw": True})
    assert raw["response"] and "context" not in raw
    assert whole(server, "/api/generate", {"prompt": "Hello!"})["context"]
    assert ask(server, "/api/generate", {"model": MODEL, "prompt": "x", "raw": True, "system": "y"}) == (
        400, {"error": "raw mode does not support template, system, or context"})


def test_the_same_request_gives_the_same_text_as_openai_s_dialect(server):
    messages = [{"role": "user", "content": STRAWBERRY}]
    ours = whole(server, "/api/chat", {"messages": messages})
    theirs = ask(server, "/v1/chat/completions", {"model": MODEL, "messages": messages, "temperature": 0})[1]
    assert ours["message"]["content"] == theirs["choices"][0]["message"]["content"]
    assert ours["eval_count"] == theirs["usage"]["completion_tokens"]


def test_stop_texts_and_limits_end_a_reply(server):
    body = {"messages": [{"role": "user", "content": STRAWBERRY}], "think": False}
    short = whole(server, "/api/chat", body | {"options": GREEDY | {"num_predict": 2}})
    assert short["done_reason"] == "length" and short["eval_count"] == 2
    full = whole(server, "/api/chat", body)["message"]["content"]
    stopped = whole(server, "/api/chat", body | {"options": GREEDY | {"stop": [full[4:8]]}})
    assert stopped["message"]["content"] == full[:4] and stopped["done_reason"] == "stop"


def test_log_probabilities_are_on_the_lines(server):
    lines = chat(server, "Hello!", logprobs=True, top_logprobs=2)
    entries = [entry for line in lines for entry in line.get("logprobs", [])]
    assert entries and all(entry["logprob"] <= 0 and len(entry["top_logprobs"]) == 2 and entry["token"] is not None for entry in entries)
    assert ask(server, "/api/chat", {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "top_logprobs": 21}) == (
        400, {"error": "top_logprobs must be between 0 and 20"})


def test_messages_that_do_not_fit_are_dropped_and_told(server):
    turns = [{"role": role, "content": f"{i} " + "word " * 20} for i in range(8) for role in ("user", "assistant")]
    body = {"messages": [{"role": "system", "content": "Be kind."}, *turns, {"role": "user", "content": "Hello!"}],
           "options": GREEDY | {"num_ctx": 256, "num_predict": 8}}
    reply = whole(server, "/api/chat", body)
    assert reply["truncated"]["dropped_messages"] > 0 and reply["truncated"]["dropped_tokens"] > 0
    assert reply["prompt_eval_count"] < 256
    assert ask(server, "/api/chat", {"model": MODEL, "truncate": False} | body) == (
        400, {"error": "the input length exceeds the context length"})


def test_pictures_are_refused_and_not_dropped(server):
    status, reply = ask(server, "/api/chat", {"model": MODEL, "messages": [{"role": "user", "content": "x", "images": ["AAAA"]}]})
    assert status == 400 and "images" in reply["error"]


def test_a_model_without_an_ability_says_which(quern, stories):
    with Server(quern, stories) as plain:
        messages = [{"role": "user", "content": "Once"}]
        name = "stories260K"
        assert ask(plain, "/api/chat", {"model": name, "messages": messages, "think": True}) == (
            400, {"error": f'"{name}" does not support thinking'})
        assert ask(plain, "/api/chat", {"model": name, "messages": messages, "tools": [WEATHER]}) == (
            400, {"error": f'"{name}" does not support tools'})
        assert ask(plain, "/api/generate", {"model": name, "prompt": "a", "suffix": "b"}) == (
            400, {"error": f'"{name}" does not support insert'})
        assert ask(plain, "/api/show", {"model": name})[1]["capabilities"] == ["completion"]
        assert ask(plain, "/api/generate", {"model": name, "prompt": "Once upon", "raw": True, "stream": False})[1]["response"]


def test_there_is_no_cloud(server):
    assert ask(server, "/api/status") == (200, {"cloud": {"disabled": True, "source": "config"}})
    assert ask(server, "/api/me", {}) == (401, {"error": "unauthorized"})
    assert ask(server, "/api/signout", {})[0] == 200


def test_ps_tells_how_long_a_model_stays(server):
    whole(server, "/api/generate", {"prompt": "Hello!", "keep_alive": -1})
    model = ask(server, "/api/ps")[1]["models"][0]
    assert model["name"] == model["model"] == MODEL and model["expires_at"].startswith("23") and model["size"] > 0 and model["size_vram"] == 0
    whole(server, "/api/generate", {"prompt": "Hello!", "keep_alive": "10m"})
    assert not ask(server, "/api/ps")[1]["models"][0]["expires_at"].startswith("23")
