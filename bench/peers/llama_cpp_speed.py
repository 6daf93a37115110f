"""Prompt and decode speed of llama.cpp on one file, through its Python package:  llama_cpp.py MODEL THREADS PROMPT_TOKENS DECODE_TOKENS

Prints one JSON line. Tokens are random ids; sampling and detokenizing are not timed.
"""

import json
import random
import sys
import time

import llama_cpp as peer


def main() -> None:
    path, threads, prompt_tokens, decode_tokens = sys.argv[1], *map(int, sys.argv[2:5])
    peer.llama_backend_init()
    started = time.perf_counter()
    model = peer.llama_model_load_from_file(path.encode(), peer.llama_model_default_params())
    options = peer.llama_context_default_params()
    options.n_ctx = prompt_tokens + decode_tokens + 64
    options.n_batch = options.n_ubatch = 512
    options.n_threads = options.n_threads_batch = threads
    context = peer.llama_init_from_model(model, options)
    load_s = time.perf_counter() - started
    draw = random.Random(1)

    def decode(count: int) -> None:
        tokens = (peer.llama_token * count)(*[draw.randrange(1000, 100000) for _ in range(count)])
        if peer.llama_decode(context, peer.llama_batch_get_one(tokens, count)) != 0:
            raise RuntimeError("llama_decode failed")
        peer.llama_synchronize(context)

    decode(1)  # warm
    started = time.perf_counter()
    decode(prompt_tokens)
    prompt_s = time.perf_counter() - started
    started = time.perf_counter()
    for _ in range(decode_tokens):
        decode(1)
    decode_s = time.perf_counter() - started
    print(json.dumps({"load_s": round(load_s, 3), "prompt_tokens_per_s": round(prompt_tokens / prompt_s, 2), "decode_tokens_per_s": round(decode_tokens / decode_s, 2)}))


if __name__ == "__main__":
    main()
