"""quern serve: which models it offers, under which names, with which window and defaults."""

import json
import pathlib
import shutil
import subprocess

import pytest

from server import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
MINI = str(ROOT / "models" / "quern-mini.gguf")
ASK = [{"role": "user", "content": "How many r's are in strawberry?"}]


def chat(server, model, key=None, **fields):
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    reply = server.post("/v1/chat/completions", {"model": model, "messages": ASK, "max_tokens": 200, "temperature": 0} | fields, headers)
    assert reply.status == 200, reply.text
    return reply.json()


def listed(server):
    return [model["id"] for model in server.get("/v1/models").json()["data"]]


def test_a_file_is_served_under_its_name_its_path_and_its_files_name(quern):
    with Server(quern, MINI, "--ctx", "1k") as server:
        server.wait_ready()
        assert listed(server) == ["quern-mini"]
        for name in ("quern-mini", "quern-mini.gguf", MINI, "Quern-Mini:latest"):
            assert chat(server, name)["model"] == "quern-mini"
        assert server.get("/v1/models").json()["data"][0]["max_model_len"] == 1000
        assert server.post("/v1/chat/completions", {"model": "other", "messages": ASK}, {"content-type": "application/json"}).status == 404
        log = "".join(server.log)
        assert "quern-mini is loaded in" in log and "window 1000 tokens" in log
        assert "Available KV cache memory: " in log and "Maximum concurrency for 1,000 tokens per request: " in log
        assert server.stop() == 0


def test_the_first_name_is_shown_and_all_are_answered_to(quern):
    with Server(quern, MINI, "--alias", "coder,helper", "--served-model-name", "third") as server:
        assert listed(server) == ["coder"]
        assert {chat(server, name, max_tokens=1)["model"] for name in ("coder", "helper", "third")} == {"coder"}


def test_any_name_is_answered_to_where_that_is_asked_for(quern):
    with Server(quern, MINI, "--any-name") as server:
        assert chat(server, "gpt-4o", max_tokens=1)["model"] == "quern-mini"


def test_a_folder_offers_its_models_and_one_takes_the_place_of_another(quern):
    folder = quern.home / "models"
    folder.mkdir()
    for name in ("one.gguf", "two.gguf"):
        shutil.copy(MINI, folder / name)
    with Server(quern, "--models-dir", str(folder), f"third={MINI}", "--max-loaded", "1") as server:
        assert sorted(listed(server)) == ["one", "third", "two"]
        replies = [chat(server, name)["choices"][0]["message"] for name in ("one", "two", "third", "one")]
        assert all(reply == replies[0] for reply in replies)
        assert server.stop() == 0


def test_a_folder_is_offered_by_the_environment(quern):
    folder = quern.home / "models"
    folder.mkdir()
    shutil.copy(MINI, folder / "mine.gguf")
    with Server(quern, env={"QUERN_MODELS": str(folder), "OLLAMA_CONTEXT_LENGTH": "512", "OLLAMA_KV_CACHE_TYPE": "q8_0"}) as server:
        assert listed(server) == ["quern-mini", "mine"]
        chat(server, "mine", max_tokens=1)
        assert [model["max_model_len"] for model in server.get("/v1/models").json()["data"]][1] == 512


def test_what_flags_say_of_sampling_holds_where_requests_are_silent(quern):
    with Server(quern, MINI, "--predict", "5", "--default-parameters", '{"temperature": 0.9, "seed": 7}') as server:
        body = {"model": "quern-mini", "messages": [{"role": "user", "content": "Tell me a story"}]}
        ask = lambda **fields: server.post("/v1/chat/completions", body | fields, {"content-type": "application/json"}).json()
        first, second = ask(), ask()
        assert first["usage"]["completion_tokens"] == 5 and first["choices"] == second["choices"]
        assert ask(max_tokens=9)["usage"]["completion_tokens"] == 9


def test_a_template_takes_the_place_of_the_models_own_and_no_mark_of_thinking_is_shown(quern):
    template = ROOT.parent / "shared" / "data" / "templates" / "qwen3_nonthinking.jinja"
    if not template.exists():
        pytest.skip("the template is not there")
    with Server(quern, MINI) as server:
        own = chat(server, "quern-mini")
        assert own["choices"][0]["message"]["reasoning_content"]
    for flag in ("--chat-template", "--chat-template-file"):
        with Server(quern, MINI, flag, str(template)) as server:
            reply = chat(server, "quern-mini")
            assert "<think>" not in json.dumps(reply) and reply["choices"][0]["message"]["content"]
            assert reply["usage"]["prompt_tokens"] != own["usage"]["prompt_tokens"]


def test_thinking_can_be_off_for_all_who_do_not_ask(quern):
    with Server(quern, MINI, "--think", "false") as server:
        assert not chat(server, "quern-mini")["choices"][0]["message"].get("reasoning_content")


@pytest.mark.parametrize("args, code, words", [
    (["nothing.gguf"], 1, "nothing.gguf': no such file or folder"),
    (["--ctx-sise", "5"], 2, "did you mean --ctx-size?"),
    (["quern-mini", "--ctx", "many"], 2, "--ctx: expected a count"),
    (["quern-mini", "--keep-alive", "soon"], 2, "--keep-alive: expected a time"),
    (["quern-mini", "--kv-memory", "much"], 2, "--kv-memory: expected a size"),
    (["quern-mini", "--max-num-seqs", "0"], 2, "--max-num-seqs: 0 is out of range"),
    (["quern-mini", "--kv-type", "q3"], 2, "is no format for the cache"),
    (["quern-mini", "--default-parameters", '{"temprature": 1}'], 2, "unknown parameter 'temprature'"),
    (["quern-mini", "--chat-template", "/no/such.jinja"], 1, "--chat-template: no file"),
    (["a=quern-mini", "b=quern-mini", "--alias", "c"], 2, "2 models are offered"),
])
def test_what_cannot_be_is_told(quern, args, code, words):
    done = quern.run("serve", *args, "--port", "0", timeout=20)
    assert done.returncode == code and words in done.stderr, done.stderr


def test_a_window_longer_than_the_model_was_made_for_is_refused_in_vllms_words(quern):
    done = quern.run("serve", MINI, "--max-model-len", "65536", "--port", "0", timeout=20)
    assert done.returncode != 0
    assert "User-specified max_model_len (65536) is greater than the derived max_model_len" in done.stderr
    assert "VLLM_ALLOW_LONG_MAX_MODEL_LEN=1" in done.stderr


def test_a_window_that_does_not_fit_is_refused_with_the_numbers_and_the_flag_that_helps(quern):
    done = quern.run("serve", MINI, "--max-model-len", "1000M", "--port", "0", env={"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}, timeout=20)
    assert done.returncode == 1
    assert "To serve at least one request with the models's max seq len (1048576000)" in done.stderr
    assert "--max-model-len auto" in done.stderr


def test_safetensors_are_refused_with_what_to_do_instead(quern):
    folder = quern.home / "Qwen3-32B-AWQ"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"x")
    done = quern.run("serve", str(folder), "--port", "0", timeout=20)
    assert done.returncode == 2 and "safetensors" in done.stderr and "GGUF" in done.stderr


def test_ctrl_c_while_a_model_is_on_its_way_ends_in_good_order(quern):
    process = subprocess.Popen([str(quern.program), "serve", MINI, "--port", "0"], env=quern.env, cwd=quern.home, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "listening on" in line:
            break
    process.terminate()
    assert process.wait(20) == 0


def test_the_help_names_every_group(quern):
    text = quern.run("serve", "--help").stdout
    for group in ("Models:", "Window and memory:", "Chat:", "Speed:", "Threads:", "Server:", "Environment:"):
        assert f"\n{group}\n" in text
    assert all(len(line) <= 100 for line in text.splitlines())
