"""The command lines of vLLM that guides publish, with a small model in place of theirs."""

import json
import shutil

import pytest

from server import Server
from test_serve_command import MINI, ROOT, chat, listed

TEMPLATE = ROOT.parent / "shared" / "data" / "templates" / "qwen3_nonthinking.jinja"


@pytest.fixture
def vllm(quern):
    """A link of that name, and a folder as guides lay it out."""
    links = quern.home / "bin"
    links.mkdir()
    done = quern.run("link", str(links))
    assert done.returncode == 0, done.stderr
    folder = quern.home / "QwQ-32B"
    folder.mkdir()
    shutil.copy(MINI, folder / "qwq-32b-q4_k_m.gguf")
    quern.link = links / "vllm"
    return quern


def notes(server):
    return [line for line in server.log if line.startswith("quern: ")]


def test_a_file_with_a_key_and_two_devices(vllm):
    with Server(vllm, "QwQ-32B/qwq-32b-q4_k_m.gguf", "--api-key", "123", "--port", "3002", "--tensor-parallel-size", "2", "--max-model-len", "1024",
                program=vllm.link) as server:
        server.wait_ready()
        assert server.get("/v1/models").status == 401 and server.get("/health").status == 200
        assert server.post("/v1/chat/completions", {}, {"content-type": "application/json", "authorization": "Bearer 124"}).status == 401
        name = "QwQ-32B/qwq-32b-q4_k_m.gguf"
        assert chat(server, name, key="123")["model"] == name
        assert any("--tensor-parallel 2: this machine computes with its CPU alone" in line for line in server.log)
        assert server.stop() == 0


def test_a_folder_is_called_as_it_was_named(vllm):
    with Server(vllm, "./QwQ-32B", "--max-model-len", "1024", program=vllm.link) as server:
        assert listed(server) == ["./QwQ-32B"]
        assert chat(server, "./QwQ-32B", max_tokens=1)["model"] == "./QwQ-32B"
        assert server.get("/version").json()["version"]


def test_the_long_line_runs_and_says_once_what_has_no_effect(vllm):
    if not TEMPLATE.exists():
        pytest.skip("the template is not there")
    with Server(vllm, "--model", "QwQ-32B", "--served-model-name", "coder", "--tensor-parallel-size", "4", "--dtype", "half", "--quantization", "awq",
                "--max-model-len", "1024", "--max-num-batched-tokens", "4096", "--gpu-memory-utilization", "0.93", "--block-size", "32",
                "--enable-chunked-prefill", "--swap-space", "16", "--tokenizer-pool-size", "56", "--disable-custom-all-reduce", "--chat-template",
                str(TEMPLATE), program=vllm.link) as server:
        server.wait_ready()
        message = chat(server, "coder")["choices"][0]["message"]
        assert message["content"] and "<think>" not in json.dumps(message)
        for flag in ("--swap-space", "--tokenizer-pool-size", "--disable-custom-all-reduce", "--quantization", "--dtype"):
            assert sum(f"{flag} has no effect: " in line for line in notes(server)) == 1, flag
        assert any("Maximum concurrency for 1,024 tokens per request: " in line for line in server.log)


def test_the_openai_client_is_turned_away_with_a_wrong_key(vllm):
    openai = pytest.importorskip("openai")
    with Server(vllm, "QwQ-32B", "--api-key", "123", "456", "--served-model-name", "a", "b", program=vllm.link) as server:
        for key in ("123", "456"):
            client = openai.OpenAI(base_url=server.url + "/v1", api_key=key)
            reply = client.chat.completions.create(model="b", messages=[{"role": "user", "content": "Hello"}], max_tokens=5)
            assert reply.model == "a" and reply.usage.completion_tokens <= 5
        with pytest.raises(openai.AuthenticationError):
            openai.OpenAI(base_url=server.url + "/v1", api_key="1234").models.list()


def test_a_folder_of_safetensors_is_told_plainly(vllm):
    folder = vllm.home / "Qwen2.5-7B-Instruct"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model-00001-of-00004.safetensors").write_bytes(b"x")
    done = vllm.run("serve", str(folder), "--dtype", "auto", "--api-key", "123", "--port", "3003", program=vllm.link, timeout=20)
    assert done.returncode == 2 and "safetensors" in done.stderr and "GGUF" in done.stderr


@pytest.mark.parametrize("args, words", [
    (["serve", "m", "--max-model-length", "5"], "did you mean --max-model-len?"),
    (["server", "m"], "did you mean serve?"),
    (["bench"], "quern bench serve measures a server"),
    (["serve", "m", "--enable-lora"], "--enable-lora: this version does not offer it"),
])
def test_what_is_not_offered_is_told(vllm, args, words):
    done = vllm.run(*args, program=vllm.link, timeout=20)
    assert done.returncode != 0 and words in done.stderr, done.stderr


def test_help_lists_commands_and_flags(vllm):
    assert "serve" in vllm.run("--help", program=vllm.link).stdout
    text = vllm.run("serve", "--help", program=vllm.link).stdout
    assert "--max-model-len" in text and "not offered" in text and "no effect" in text
