"""llama-server's own routes and vLLM's small ones, on quern-mini."""

import json

import pytest

from edited_gguf import edited
from server import Server

QUESTION = "In the word \"berry\", how many R's are there?"
PROMPT = f"<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"


def complete(server, **fields):
    reply = server.post("/completion", {"prompt": PROMPT, "n_predict": 16, "temperature": 0} | fields)
    assert reply.status == 200, reply.text
    return reply.json()


# /completion

def test_a_completion_has_every_field_of_llama_server(server):
    reply = complete(server, n_predict=8, return_tokens=True)
    assert list(reply) == ["index", "content", "tokens", "id_slot", "stop", "model", "tokens_predicted", "tokens_evaluated",
                           "generation_settings", "prompt", "has_new_line", "truncated", "stop_type", "stopping_word", "tokens_cached", "timings"]
    assert reply["stop"] is True and reply["stop_type"] == "limit" and reply["prompt"] == PROMPT
    assert reply["tokens_predicted"] == 8 == len(reply["tokens"])
    assert reply["tokens_cached"] == reply["tokens_evaluated"] + 7
    assert reply["timings"]["predicted_n"] == 8
    assert reply["timings"]["prompt_n"] + reply["timings"]["cache_n"] == reply["tokens_evaluated"]
    settings = reply["generation_settings"]
    assert settings["n_predict"] == 8 and settings["temperature"] == 0 and settings["top_k"] == 40 and settings["min_p"] == pytest.approx(0.05)
    assert settings["samplers"][0] == "penalties" and settings["repeat_last_n"] == 64


def test_why_a_completion_ended_is_told(server):
    ended = complete(server, n_predict=400)
    assert (ended["stop_type"], ended["stopping_word"]) == ("eos", "")
    word = ended["content"].split()[3]
    stopped = complete(server, n_predict=400, stop=[word])
    assert (stopped["stop_type"], stopped["stopping_word"]) == ("word", word)
    assert stopped["content"] == ended["content"][:ended["content"].index(word)]
    assert complete(server, n_predict=3)["stop_type"] == "limit"


def test_tokens_are_listed_only_when_asked_for(server):
    assert complete(server)["tokens"] == []
    tokens = complete(server, return_tokens=True)["tokens"]
    assert server.post("/detokenize", {"tokens": tokens}).json()["content"].startswith(complete(server)["content"])


def test_a_list_of_prompts_gets_a_list_of_replies(server):
    ids = server.post("/tokenize", {"content": PROMPT}).json()["tokens"]
    replies = complete(server, prompt=[PROMPT, ids, [ids[0], *ids[1:]], {"prompt_string": PROMPT}])
    assert [reply["index"] for reply in replies] == [0, 1, 2, 3]
    assert len({reply["content"] for reply in replies}) == 1
    assert isinstance(complete(server, prompt=[PROMPT]), list)


def test_texts_and_ids_mix_in_one_prompt(server):
    whole = server.post("/tokenize", {"content": PROMPT}).json()["tokens"]
    start = server.post("/tokenize", {"content": "<|im_start|>"}).json()["tokens"]
    assert len(start) == 1 and whole[0] == start[0]
    reply = complete(server, prompt=[start[0], PROMPT.removeprefix("<|im_start|>")])
    assert reply["prompt"] == PROMPT and reply["tokens_evaluated"] == len(whole)
    assert reply["content"] == complete(server)["content"]


def test_several_replies_to_one_prompt(server):
    wild = {"n_cmpl": 3, "temperature": 5, "min_p": 0, "top_p": 1, "seed": 5}
    replies = complete(server, **wild)
    assert [reply["index"] for reply in replies] == [0, 1, 2]
    assert len({reply["content"] for reply in replies}) > 1
    assert complete(server, **wild)[2]["content"] == replies[2]["content"]


def test_response_fields_pick_and_lift(server):
    reply = complete(server, response_fields=["content", "generation_settings/n_predict", "no_such", "timings/none"])
    assert reply == {"content": complete(server)["content"], "n_predict": 16}


def test_nothing_is_written_where_nothing_is_asked_for(server):
    reply = complete(server, n_predict=0)
    assert (reply["content"], reply["tokens_predicted"]) == ("", 0)
    assert complete(server, n_predict=2)["timings"]["cache_n"] > 0  # but the prompt has been read


def test_probabilities_come_with_ids_and_bytes(server):
    reply = complete(server, n_predict=4, n_probs=3, return_tokens=True)
    entries = reply["completion_probabilities"]
    assert [entry["id"] for entry in entries] == reply["tokens"]
    for entry in entries:
        assert list(entry) == ["id", "token", "bytes", "logprob", "top_logprobs"]
        assert len(entry["top_logprobs"]) == 3
        assert entry["top_logprobs"][0]["id"] == entry["id"] and entry["top_logprobs"][0]["logprob"] == entry["logprob"] <= 0
        assert bytes(entry["bytes"]).decode(errors="replace") == entry["token"]
    assert "completion_probabilities" not in complete(server)
    assert list(complete(server, n_probs=1, post_sampling_probs=True)["completion_probabilities"][0]) == ["id", "token", "bytes", "prob", "top_probs"]


def test_a_stream_ends_with_the_whole_object_and_without_done(server):
    whole = complete(server, n_predict=400)
    reply = server.post("/completion", {"prompt": PROMPT, "n_predict": 400, "temperature": 0, "stream": True})
    assert reply.headers["content-type"] == "text/event-stream"
    events = reply.events()
    assert "[DONE]" not in events
    assert "".join(event["content"] for event in events) == whole["content"]
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]
    assert list(events[0])[:5] == ["index", "content", "tokens", "stop", "id_slot"]
    last = events[-1]
    assert last["content"] == "" and last["tokens"] == [] and last["stop_type"] == "eos"
    assert last["tokens_predicted"] == whole["tokens_predicted"]
    assert sum(len(event["tokens"]) for event in events) in (last["tokens_predicted"], last["tokens_predicted"] - 1)  # the end is no text


def test_a_grammar_and_a_schema_together_are_refused(server):
    reply = server.post("/completion", {"prompt": "a", "grammar": "root ::= \"a\"", "json_schema": {}})
    assert reply.status == 400 and "json_schema" in reply.json()["error"]["message"]


def test_errors_have_llama_servers_shape(server):
    for body in [{}, {"prompt": 7}, {"prompt": []}, {"prompt": "a", "n_probs": 129}, {"prompt": "a", "temperature": "hot"}]:
        reply = server.post("/completion", body)
        assert reply.status == 400, body
        error = reply.json()["error"]
        assert error["code"] == 400 and error["type"] == "invalid_request_error" and error["message"]
    assert server.post("/completion", {"prompt": "a", "model": "nobody"}).json()["error"]["type"] == "not_found_error"


def test_a_prompt_that_does_not_fit_is_told_both_numbers(server):
    reply = server.post("/completion", {"prompt": list(range(1000)) * 3})
    error = reply.json()["error"]
    assert reply.status == 400 and error["type"] == "exceed_context_size_error"
    assert error["n_prompt_tokens"] == 3000
    assert error["message"] == (f"request (3000 tokens) exceeds the available context size ({error['n_ctx']} tokens), try increasing it")


def test_what_has_no_effect_is_reported(server):
    assert {warning["param"] for warning in complete(server, id_slot=1, bogus=1)["warnings"]} == {"id_slot", "bogus"}
    assert server.post("/completion?strict=1", {"prompt": "a", "bogus": 1}).status == 400


# One request, any dialect

def test_every_dialect_writes_the_same_tokens(server):
    chat = {"messages": [{"role": "user", "content": QUESTION}]}
    prompt = server.post("/apply-template", chat).json()["prompt"]
    for sampling in [{"temperature": 0}, {"temperature": 1.5, "top_p": 0.9, "top_k": 20, "min_p": 0.02, "seed": 11}]:
        native = server.post("/completion", {"prompt": prompt, "n_predict": 40, "return_tokens": True} | sampling).json()
        completion = server.post("/v1/completions", {"prompt": prompt, "max_tokens": 40, "model": "quern-mini", "return_token_ids": True,
                                                     "logprobs": 0} | sampling).json()["choices"][0]
        message = server.post("/v1/chat/completions", chat | {"max_tokens": 40, "model": "quern-mini", "return_token_ids": True}
                              | sampling).json()["choices"][0]
        assert native["tokens"] == message["token_ids"]
        assert native["content"] == completion["text"]


# Tokens

TEXTS = ["Hello, world!", "", "naïve 你好 👋🏽", "<|im_start|>user\n", "a\tb\n\n  c"]


@pytest.mark.parametrize("text", TEXTS)
def test_tokens_give_the_text_back(server, text):
    tokens = server.post("/tokenize", {"content": text}).json()["tokens"]
    assert server.post("/detokenize", {"tokens": tokens}).json() == {"content": text, "prompt": text}
    answer = server.post("/tokenize", {"prompt": text, "model": "quern-mini"}).json()
    assert answer["tokens"] == tokens and answer["count"] == len(tokens) and answer["token_strs"] is None and answer["max_model_len"] > 0


def test_pieces_are_bytes_where_they_are_no_text(server):
    pieces = server.post("/tokenize", {"content": "é 你👋", "with_pieces": True}).json()["tokens"]
    raw = b"".join(bytes(piece["piece"]) if isinstance(piece["piece"], list) else piece["piece"].encode() for piece in pieces)
    assert raw.decode() == "é 你👋"
    assert any(isinstance(piece["piece"], list) for piece in pieces)


def test_special_tokens_are_read_only_where_asked(server):
    assert len(server.post("/tokenize", {"content": "<|im_start|>"}).json()["tokens"]) == 1
    assert len(server.post("/tokenize", {"content": "<|im_start|>", "parse_special": False}).json()["tokens"]) > 1


def test_vllms_tokenize_counts_a_chat(server):
    chat = {"messages": [{"role": "user", "content": "Hi"}], "model": "quern-mini"}
    answer = server.post("/tokenize", chat | {"return_token_strs": True}).json()
    assert answer["count"] == len(answer["tokens"]) == len(answer["token_strs"])
    prompt = server.post("/apply-template", {"messages": chat["messages"]}).json()["prompt"]
    assert server.post("/detokenize", {"tokens": answer["tokens"]}).json()["prompt"] == prompt
    assert server.post("/v1/chat/completions/input_tokens", chat).json() == {"object": "response.input_tokens", "input_tokens": answer["count"]}
    without = server.post("/tokenize", chat | {"add_generation_prompt": False}).json()
    assert without["count"] < answer["count"]
    both = server.post("/tokenize", chat | {"add_generation_prompt": True, "continue_final_message": True})
    assert both.status == 400


def test_ids_that_are_no_tokens_are_refused(server):
    for tokens in [[10 ** 6], [-1], ["a"], "a", None]:
        assert server.post("/detokenize", {"tokens": tokens}).status == 400


def test_apply_template_takes_tools(server):
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
    prompt = server.post("/apply-template", {"messages": [{"role": "user", "content": "Hi"}], "tools": [tool]}).json()["prompt"]
    assert "get_weather" in prompt and prompt.endswith("<|im_start|>assistant\n")


# /infill

def test_infill_says_which_tokens_a_model_lacks(server):
    reply = server.post("/infill", {"input_prefix": "a", "input_suffix": "b"})
    assert reply.status == 501
    assert reply.json()["error"]["message"].startswith("Infill is not supported by this model: prefix token is missing.")


def test_infill_needs_both_sides(server):
    assert server.post("/infill", {"input_prefix": "a"}).status == 400


def test_infill_puts_the_marks_around_the_gap(quern, tmp_path):
    marks = {"pre": 1386, "suf": 1387, "mid": 1388}
    model = edited(tmp_path / "fim.gguf", {f"tokenizer.ggml.fim_{name}_token_id": token for name, token in marks.items()})
    with Server(quern, model) as server:
        asked = {"model": model, "input_prefix": "def f(", "input_suffix": "): pass", "n_predict": 2, "prompt": "x"}
        reply = server.post("/infill", asked)
        assert reply.status == 200, reply.text
        assert reply.json()["prompt"] == "<tool_response>def f(</tool_response>): pass<tools>x"
        more = server.post("/infill", asked | {"input_extra": [{"filename": "a.py", "text": "import b\n"}]}).json()["prompt"]
        assert more.startswith("\n\n--- snippet ---\n\nimport b\n<tool_response>def f(")


# What the server tells of itself

def test_props_tell_of_the_model(server):
    props = server.get("/props").json()
    assert props["total_slots"] >= 1 and props["model_alias"] == "quern-mini"
    assert props["default_generation_settings"]["n_ctx"] > 0
    assert props["default_generation_settings"]["params"]["top_k"] == 40
    assert "<|im_start|>" in props["chat_template"] and props["eos_token"] == "<|im_end|>"
    assert server.post("/props", {}).status == 501


def test_slots_are_as_many_as_requests_can_run(server):
    slots = server.get("/slots").json()
    assert len(slots) == server.get("/props").json()["total_slots"]
    assert all(not slot["is_processing"] for slot in slots)
    assert server.get("/slots?fail_on_no_slot=1").status == 200
    assert server.post("/slots/0?action=save", {"filename": "a"}).status == 501


def test_there_are_no_adapters(server):
    assert server.get("/lora-adapters").json() == []
    assert server.post("/lora-adapters", []).json() == {"success": True}
    assert server.post("/lora-adapters", [{"id": 0, "scale": 1}]).status == 501


def test_models_have_both_shapes(server):
    models = server.get("/models").json()
    assert [model["id"] for model in models["data"]] == [model["name"] for model in models["models"]] == ["quern-mini"]


def test_load_counts_what_runs(server):
    assert server.get("/load").json() == {"server_load": 0}


def test_a_model_is_loaded_and_unloaded_by_name(quern):
    with Server(quern) as server:
        assert server.post("/models/load", {"model": "quern-mini"}).json() == {"success": True}
        assert "quern_model_loads_total 1\n" in server.get("/metrics").text
        assert server.post("/models/unload", {"model": "quern-mini"}).json() == {"success": True}
        assert server.post("/models/unload", {"model": "nobody"}).status == 404


@pytest.mark.parametrize("path", ["/sleep", "/wake_up", "/is_sleeping", "/pause", "/server_info", "/classify", "/pooling", "/v2/embed"])
def test_routes_that_are_not_offered_say_so(server, path):
    reply = server.post(path, {})
    assert reply.status == 501 and reply.json()["error"]["type"] == "not_supported_error"


def test_prompts_of_others_do_not_show(server):
    complete(server, prompt="a secret word")
    for path in ["/slots", "/props", "/metrics", "/load"]:
        assert "secret" not in json.dumps(server.get(path).text)
