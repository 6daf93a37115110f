"""The real program, run as a user would: $QN_BUILD/quern (default build/release/quern), with the built-in model and an empty home."""

import os
import pathlib
import subprocess

import pytest

from server import Server
from terminal import Terminal

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


class Quern:
    def __init__(self, program, home):
        self.program = program
        self.home = home
        self.env = {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
        }
        for name in ("LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "QN_FORCE_ISA"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def run(self, *args, stdin=None, env=None, timeout=120, program=None):
        """One run without a terminal. stdin: text to pipe in; None: /dev/null."""
        given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run([str(program or self.program), *args], env=self.env | (env or {}), cwd=self.home, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **given)

    def terminal(self, *args, env=None, columns=80):
        return Terminal([str(self.program), *args], env=self.env | (env or {}), cwd=self.home, columns=columns)


def built_program():
    build = pathlib.Path(os.environ.get("QN_BUILD", REPOSITORY / "build" / "release"))
    program = build.resolve() / "quern"
    assert program.exists(), f"{program} is not built"
    return program


@pytest.fixture
def quern(tmp_path):
    return Quern(built_program(), tmp_path)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all tests of a file; it serves quern-mini. A test that wants flags starts its own: `with Server(quern, "--flag") as …`."""
    with Server(Quern(built_program(), tmp_path_factory.mktemp("server"))) as running:
        yield running


@pytest.fixture
def stories():
    model = REPOSITORY.parent / "shared" / "data" / "stories260K.gguf"
    if not model.exists():
        pytest.skip(f"{model.name} is not there")
    return str(model)
