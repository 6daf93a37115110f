"""llama-server's published line, and ollama serve, with a small model."""

import pytest

from server import Server
from test_serve_command import MINI, ROOT, chat, listed

TEMPLATE = ROOT.parent / "shared" / "data" / "templates" / "QwQ.jinja"


@pytest.fixture
def links(quern):
    folder = quern.home / "bin"
    folder.mkdir()
    done = quern.run("link", str(folder))
    assert done.returncode == 0, done.stderr
    for name in ("llama-server", "vllm", "ollama", "llama-cli", "llama-quantize", "llama-gguf-split"):
        assert (folder / name).is_symlink()
    return folder


def test_the_published_line_runs(quern, links):
    if not TEMPLATE.exists():
        pytest.skip("the template is not there")
    small = quern.home / "Qwen_QwQ-32B-IQ4_XS.gguf"
    done = quern.run("llama-quantize", "--allow-requantize", MINI, str(small), "IQ4_XS")
    assert done.returncode == 0, done.stderr
    with Server(quern, "--model", "./Qwen_QwQ-32B-IQ4_XS.gguf", "--alias", "QwQ-32B", "--n-gpu-layers", "65", "--ctx-size", "1024", "--parallel", "1",
                "--cache-type-k", "q8_0", "--cache-type-v", "q8_0", "--threads", "16", "--flash-attn", "--n-predict", "-1", "--jinja",
                "--chat-template-file", str(TEMPLATE), "--host", "0.0.0.0", "--port", "8000", program=links / "llama-server", command=()) as server:
        server.wait_ready()
        assert listed(server) == ["QwQ-32B"]
        message = chat(server, "QwQ-32B")["choices"][0]["message"]
        assert message["content"] or message.get("reasoning_content")
        assert chat(server, "gpt-3.5-turbo", max_tokens=1)["model"] == "QwQ-32B"
        log = "".join(server.log)
        assert "cache Q8_0" in log and "at most 1 replies together" in log
        assert "--threads 16" in log and "no GPU can be used" in log
        assert "--host 0.0.0.0: everyone who reaches this address can use the server" in log
        assert server.stop() == 0


def test_the_port_and_the_name_are_llama_servers(quern, links):
    with Server(quern, "-m", MINI, "-c", "512", program=links / "llama-server", command=()) as server:
        assert listed(server) == [MINI]
        assert server.get("/health").status in (200, 503)


@pytest.mark.parametrize("args, words", [
    (["-m", MINI, "--ctx-sise", "5"], "did you mean --ctx-size?"),
    (["-m", MINI, "--tools", "x"], "--tools: the server runs no tools itself"),
    (["-m", MINI, "-hf", "a/b"], "downloads nothing"),
    (["-m"], "-m: a value is missing"),
])
def test_what_is_not_offered_is_told(quern, args, words):
    done = quern.run("llama-server", *args, timeout=20)
    assert done.returncode == 2 and words in done.stderr


@pytest.mark.parametrize("command", ["serve", "start"])
def test_ollama_serve_runs_with_ollamas_variables(quern, links, command):
    env = {"OLLAMA_KEEP_ALIVE": "10m", "OLLAMA_NUM_PARALLEL": "4", "OLLAMA_MAX_QUEUE": "8", "OLLAMA_MAX_LOADED_MODELS": "1", "OLLAMA_HOST": "127.0.0.1"}
    with Server(quern, program=links / "ollama", command=(command,), env=env) as server:
        assert listed(server) == ["quern-mini"]
        assert server.get("/api/version").json()["version"]
        assert chat(server, "quern-mini", max_tokens=1)["model"] == "quern-mini"
        assert server.stop() == 0


def test_ollama_says_what_is_not_there_yet(quern, links):
    assert "serve, start" in quern.run("help", program=links / "ollama").stdout
    for command in ("pull", "create", "signin"):
        done = quern.run(command, "x", program=links / "ollama")
        assert done.returncode == 1 and f"ollama {command}: " in done.stderr
    done = quern.run("rnu", program=links / "ollama")
    assert done.returncode == 2 and "did you mean run?" in done.stderr
    answered = quern.run("run", "quern-mini", "Hello", program=links / "ollama")
    assert answered.returncode == 0 and answered.stdout.strip()
