"""How a model's file comes into memory: mapped, read in, locked, and taken away while it is in use."""

import pathlib
import shutil

import pytest

MINI = str(pathlib.Path(__file__).resolve().parents[2] / "models" / "quern-mini.gguf")
WAYS = [[], ["--no-mmap"], ["--mmap"], ["--load-mode", "none"], ["--load-mode", "mmap"]]


def test_the_answer_does_not_depend_on_how_the_file_is_loaded(quern):
    answers = {quern.run("run", MINI, "Hello!", *way, "--seed", "1").stdout for way in WAYS}
    assert len(answers) == 1 and answers.pop().strip()


def test_locked_weights_answer_or_the_limit_is_named(quern):
    done = quern.run("run", MINI, "Hello!", "--mlock", "--seed", "1")
    assert done.returncode == 0 or "RLIMIT_MEMLOCK" in done.stderr, done.stderr


def test_an_unknown_mode_is_refused(quern):
    done = quern.run("run", MINI, "Hello!", "--load-mode", "magic")
    assert done.returncode == 2 and "mmap+mlock" in done.stderr


def test_llama_cli_loads_as_it_is_told(quern):
    done = quern.run("llama-cli", "-m", MINI, "-p", "Hello", "-st", "--no-mmap", "-lm", "none")
    assert done.returncode == 0 and "has no effect" not in done.stderr, done.stderr


@pytest.mark.parametrize("way", [[], ["--no-mmap"]])
def test_a_file_that_shrinks_in_use_ends_the_program_with_a_reason_unless_it_was_read_in(quern, tmp_path, way):
    model = tmp_path / "model.gguf"
    shutil.copy(MINI, model)
    with quern.terminal("run", str(model), *way) as terminal:
        terminal.prompt()
        terminal.enter("Hello!")
        with open(model, "r+b") as file:
            file.truncate(4096)
        if way:
            assert terminal.enter("Hello!").strip()
            terminal.send("\x04")
            assert terminal.end() == 0
        else:
            terminal.send("Hello!\r")
            terminal.wait_for("it became shorter or its disk failed")
            assert terminal.end() == 1
