"""Who is measured: each player runs one test at a time and gives the speed of one repetition when it is its turn."""

import contextlib
import dataclasses
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Test:
    part: str  # what --only names it by
    label: str
    prompt: int = 0
    decode: int = 0
    depth: int = 0
    sequences: int = 1
    kv: str = "f16"


class Failure(Exception):
    pass


class TurnPlayer:
    """A process that says it is ready, then measures once for each line it gets."""

    def __init__(self, name: str):
        self.name, self.process, self.row = name, None, {}

    def command(self, model: str, test: Test) -> list:
        raise NotImplementedError

    def start(self, model: str, test: Test) -> None:
        self.process = subprocess.Popen(self.command(model, test), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.name}: {self.process.stderr.read().strip()[-500:] or 'it ended early'}")
        return json.loads(line)

    def ready(self) -> None:
        self.row = self.read()

    def turn(self) -> dict:
        with contextlib.suppress(BrokenPipeError):  # read() says why it ended
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        return self.read()

    def stop(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        for line in self.process.stdout:
            self.row = json.loads(line)  # Quern ends with the row of its report
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process = None


class Quern(TurnPlayer):
    def __init__(self, program: str, threads: int, pairs: int, isa: str = "", stream: str = ""):
        super().__init__("Quern")
        self.program, self.pairs = program, pairs
        self.common = ["-t", str(threads)] + (["--isa", isa] if isa else []) + (["--stream", stream] if stream else [])

    def command(self, model, test):
        numbers = ["-p", test.prompt, "-n", test.decode, "-d", test.depth, "--sequences", test.sequences, "-r", self.pairs]
        return [self.program, "bench", model, *map(str, numbers), "-ctk", test.kv, "-ctv", test.kv, "--turns", *self.common]

    def load_seconds(self, model: str) -> float:
        command = [self.program, "bench", model, "-p", "1", "-n", "0", "-r", "1", "--no-warmup", "-o", "json", *self.common]
        row = json.loads(output_of(command))[0]
        return row["load_s"] + 1 / row["median_ts"]


class LlamaCpp(TurnPlayer):
    def __init__(self, python: str, threads: int):
        super().__init__("llama.cpp")
        self.python, self.threads = python, threads

    def command(self, model, test):
        return [self.python, str(HERE / "llama_cpp_turns.py"), model, str(self.threads), json.dumps(dataclasses.asdict(test))]

    def load_seconds(self, model: str) -> float:
        command = [self.python, str(HERE / "llama_cpp_turns.py"), model, str(self.threads), '{"load": true, "prompt": 1}']
        return json.loads(output_of(command).splitlines()[-1])["first_token_s"]

    def version(self) -> str:
        return output_of([self.python, "-c", "import llama_cpp; print(llama_cpp.__version__)"]).strip()


class LlamaBench:
    """A llama-bench that is built already: one process for each turn. It cannot decode several sequences together."""

    def __init__(self, program: str, threads: int):
        self.name = pathlib.Path(program).resolve().parent.parent.parent.name or program
        self.program, self.threads, self.row = program, threads, {}
        usage = subprocess.run([program, "--help"], capture_output=True, text=True)
        self.usage = usage.stdout + usage.stderr

    def can(self, test: Test) -> bool:
        return test.sequences == 1 and (test.depth == 0 or "--n-depth" in self.usage or (test.decode > 0 and "-gp" in self.usage))

    def start(self, model: str, test: Test) -> None:
        numbers = ["-p", test.prompt, "-n", test.decode, "-r", 1, "-t", self.threads, "-ctk", test.kv, "-ctv", test.kv]
        if test.depth and "--n-depth" in self.usage:
            numbers += ["-d", test.depth]
        elif test.depth:
            numbers[:4] = ["-p", 0, "-n", 0, "-gp", f"{test.depth},{test.decode}"]
        if test.kv != "f16":
            numbers += ["-fa", 1]
        self.arguments = [self.program, "-m", model, *map(str, numbers), "-o", "json"]

    def ready(self) -> None:
        pass

    def turn(self) -> dict:
        text = output_of(self.arguments)
        self.row = json.loads(text[text.index("[") :])[-1]
        return {"tokens_per_s": self.row["avg_ts"]}

    def stop(self) -> None:
        pass


def output_of(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{command[0]}: {done.stderr.strip()[-500:]}")
    return done.stdout
