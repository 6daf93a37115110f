"""llama.cpp through its Python package, measuring in turn with another program:  llama_cpp_turns.py MODEL THREADS TEST

TEST is JSON: {"prompt": 512, "decode": 0, "depth": 0, "sequences": 1, "kv": "f16"}, or {"load": true, ...} to load once and say how long it took.
Says {"ready": true, "version": ...} when all is prepared, waits for a line on stdin before each repetition, answers {"tokens_per_s": ...}.
Tokens are random ids; sampling is not timed. Only the package's low-level API is used, so what is timed is llama.cpp.
"""

import ctypes
import json
import random
import sys
import time

import llama_cpp as peer

CACHE_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30}


def say(**fields) -> None:
    print(json.dumps(fields), flush=True)


class Player:
    def __init__(self, path: str, threads: int, test: dict):
        self.test, self.draw = test, random.Random(1)
        self.sequences = test.get("sequences", 1)
        self.depth, self.steps = test.get("depth", 0), max(test.get("prompt", 0), test.get("decode", 0))
        peer.llama_backend_init()
        started = time.perf_counter()
        self.model = peer.llama_model_load_from_file(path.encode(), peer.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"{path}: llama.cpp cannot load it")
        options = peer.llama_context_default_params()
        options.n_ctx = self.sequences * (self.depth + self.steps + 64)
        options.n_seq_max = self.sequences
        options.n_batch, options.n_ubatch = 2048, 512
        options.n_threads = options.n_threads_batch = threads
        options.type_k = options.type_v = CACHE_TYPES[test.get("kv", "f16")]
        if test.get("kv", "f16") != "f16":
            options.flash_attn_type = 1  # quantized V needs it; otherwise llama.cpp decides
        self.context = peer.llama_init_from_model(self.model, options)
        if not self.context:
            raise SystemExit(f"{path}: llama.cpp cannot make a context")
        self.load_s = time.perf_counter() - started
        self.batch = peer.llama_batch_init(2048, 0, 1)

    def compute(self, rows: list) -> None:
        """rows: (sequence, position, whether logits are wanted); random tokens."""
        for at in range(0, len(rows), 2048):
            part = rows[at : at + 2048]
            self.batch.n_tokens = len(part)
            for i, (sequence, position, logits) in enumerate(part):
                self.batch.token[i] = self.draw.randrange(1000)
                self.batch.pos[i] = position
                self.batch.n_seq_id[i] = 1
                self.batch.seq_id[i][0] = sequence
                self.batch.logits[i] = logits
            if peer.llama_decode(self.context, self.batch) != 0:
                raise SystemExit("llama_decode failed")
        peer.llama_synchronize(self.context)

    def prepare(self) -> None:
        for sequence in range(self.sequences):
            self.compute([(sequence, position, position == self.depth) for position in range(self.depth + (1 if self.test.get("decode") else 0))])

    def forget(self) -> None:
        kept = self.depth + (1 if self.test.get("decode") else 0)
        for sequence in range(self.sequences):
            peer.llama_memory_seq_rm(peer.llama_get_memory(self.context), sequence, kept, -1)

    def repetition(self, steps: int) -> float:
        """Tokens a second."""
        started = time.perf_counter()
        if self.test.get("prompt"):
            self.compute([(0, self.depth + i, i == steps - 1) for i in range(steps)])
        else:
            for step in range(steps):
                self.compute([(sequence, self.depth + 1 + step, True) for sequence in range(self.sequences)])
        seconds = time.perf_counter() - started
        self.forget()
        return steps * (1 if self.test.get("prompt") else self.sequences) / seconds


def main() -> None:
    test = json.loads(sys.argv[3])
    silent = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda *_: None)
    peer.llama_log_set(silent, None)
    player = Player(sys.argv[1], int(sys.argv[2]), test)
    if test.get("load"):
        started = time.perf_counter()
        player.compute([(0, 0, True)])
        say(load_s=player.load_s, first_token_s=player.load_s + time.perf_counter() - started)
        return
    player.prepare()
    player.repetition(player.steps if test.get("prompt") else min(player.steps, 8))  # warm
    say(ready=True, version=peer.__version__)
    while sys.stdin.readline():
        say(tokens_per_s=player.repetition(player.steps))


if __name__ == "__main__":
    main()
