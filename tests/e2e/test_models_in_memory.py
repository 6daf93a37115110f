"""Several models in one server: loaded at first use, and each alone in its misfortunes."""

import pathlib
import shutil

from server import Server

MINI = pathlib.Path(__file__).resolve().parents[2] / "models" / "quern-mini.gguf"


def say(server, model):
    return server.post("/v1/chat/completions", {"model": model, "temperature": 0, "max_tokens": 20, "messages": [{"role": "user", "content": "Hello!"}]})


def text(reply):
    return reply.json()["choices"][0]["message"]["content"]


def test_a_model_file_that_is_cut_short_fails_its_own_replies_and_comes_back_when_it_is_whole(quern, tmp_path):
    model = tmp_path / "mine.gguf"
    shutil.copy(MINI, model)
    with Server(quern, str(model), "quern-mini") as server:
        before = text(say(server, "mine"))
        with model.open("r+b") as file:
            file.truncate(MINI.stat().st_size // 2)
        assert say(server, "mine").status == 500
        assert text(say(server, "quern-mini")) == before
        assert say(server, "mine").status == 500
        shutil.copy(MINI, tmp_path / "new")
        (tmp_path / "new").rename(model)
        assert text(say(server, "mine")) == before
        assert server.process.poll() is None


def test_a_model_file_replaced_under_way_is_loaded_at_the_next_request(quern, tmp_path):
    model = tmp_path / "mine.gguf"
    shutil.copy(MINI, model)
    with Server(quern, str(model), "quern-mini") as server:
        before = text(say(server, "mine"))
        shutil.copy(MINI, tmp_path / "new")
        (tmp_path / "new").rename(model)
        assert text(say(server, "MINE:latest")) == before
        assert sum("model_loaded" in line for line in server.log) == 2


def test_a_model_that_does_not_load_is_an_error_without_its_path(quern, tmp_path):
    model = tmp_path / "broken.gguf"
    model.write_bytes(b"no model")
    with Server(quern, str(model), "quern-mini") as server:
        reply = say(server, "broken")
        assert reply.status == 500 and str(tmp_path) not in reply.text
        assert server.logged("begins with")
        assert say(server, "quern-mini").status == 200
