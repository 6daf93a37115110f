"""Measures a GGUF file of quern-mini on questions it has not seen: 400 of each kind, greedy, Q8_0 weights as stored.

    python measure.py quern-mini.gguf [--items 400] [--json results.json] [--failures 3]

This runs model.py on the dequantised weights. Quern itself also rounds activations to 8 bits; its own tests compare the two.
"""
import argparse
import json
import multiprocessing as mp
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gguf
import torch

import checks
import text
from export import read, with_weights
from model import Mini, Sizes, greedy
from text.arithmetic import sum_exchange
from text.chat import Conversation, from_exchanges, prompt
from text.count import count_exchange
from text.small_talk import talk_exchange
from text.tools import tool_call
from text.words import pool
from vocab import Vocab

Make = Callable[[random.Random, text.Pool], Conversation]


@dataclass(frozen=True)
class Task:
    name: str
    split: str                 # see words.Pool
    make: Make
    scores: dict[str, tuple[Callable[[Conversation, str], bool], float | None]]   # name: (check, target in per cent)


def one(exchange: Callable) -> Make:
    return lambda rng, words: from_exchanges("", [exchange(rng, words)])


def direct(make: Make) -> Make:
    return lambda rng, words: text.without_thinking(make(rng, words))


def in_system(make: Make) -> Make:
    """The same questions behind a random system message."""
    def dressed(rng, words):
        chat = make(rng, words)
        chat.messages.insert(0, {"role": "system", "content": text.system_message(rng, words)})
        return chat
    return dressed


count_en = one(lambda rng, words: count_exchange(rng, words, False))
count_zh = one(lambda rng, words: count_exchange(rng, words, True))
call_right = {"well formed": (checks.tool_well_formed, 100), "right": (checks.tool_right, 95)}
TASKS = [
    Task("count, English", "test", count_en, {"right": (checks.count, 99)}),
    Task("count, Chinese", "test", count_zh, {"right": (checks.count, 99)}),
    Task("count, English, unseen wording", "unseen", count_en, {"right": (checks.count, 90)}),
    Task("count, Chinese, unseen wording", "unseen", count_zh, {"right": (checks.count, 90)}),
    Task("sums and differences", "test", one(sum_exchange), {"right": (checks.arithmetic, 98)}),
    Task("sums and differences, unseen wording", "unseen", one(sum_exchange), {"right": (checks.arithmetic, None)}),
    Task("tool call, one function, English", "test", lambda r, p: tool_call(r, p, False, 1), call_right),
    Task("tool call, one function, Chinese", "test", lambda r, p: tool_call(r, p, True, 1), call_right),
    Task("tool call, two functions, English", "test", lambda r, p: tool_call(r, p, False, 2), call_right),
    Task("tool call, two functions, Chinese", "test", lambda r, p: tool_call(r, p, True, 2), call_right),
    Task("no function fits", "unseen", text.tool_not_needed, {"plain words": (checks.plain_words, 95)}),
    Task("tool result to sentence", "test", text.tool_reply, {"right": (checks.sentence, 95)}),
    Task("JSON object", "test", one(text.json_exchange), {"valid": (checks.json_valid, 100), "right": (checks.json_right, 95)}),
    Task("JSON object, unseen wording", "unseen", one(text.json_exchange), {"valid": (checks.json_valid, None), "right": (checks.json_right, None)}),
    Task("name recalled", "test", text.recall, {"right": (checks.recalled, 99)}),
    Task("name recalled, unseen wording", "unseen", text.recall, {"right": (checks.recalled, None)}),
    Task("small talk, English", "test", one(lambda r, p: talk_exchange(r, p, False)), {"right": (checks.said, None)}),
    Task("small talk, Chinese", "test", one(lambda r, p: talk_exchange(r, p, True)), {"right": (checks.said, None)}),
    Task("small talk, English, unseen wording", "unseen", one(lambda r, p: talk_exchange(r, p, False)), {"right": (checks.said, None)}),
    Task("small talk, Chinese, unseen wording", "unseen", one(lambda r, p: talk_exchange(r, p, True)), {"right": (checks.said, None)}),
    Task("the rest, unseen questions", "unseen", one(text.refusal_exchange), {"says it does not know": (checks.said, 90)}),
    Task("count, behind a system message", "test", in_system(count_en), {"right": (checks.count, None)}),
    Task("count, thinking off", "test", direct(count_en), {"right": (checks.count, None)}),
    Task("sums, thinking off", "test", direct(one(sum_exchange)), {"right": (checks.arithmetic, None)}),
]
PHRASES = ['In the word "strawberry", how many R\'s are there?', '在单词"strawberry"中，总共有几个R？', "What is 47 + 38?", "What is 23 - 58?",
           "Who are you?", "你是谁？", "What is the capital of France?"]


def load(path: Path) -> Mini:
    field = gguf.GGUFReader(path).fields

    def number(key: str):
        return field[f"qwen2.{key}"].contents()

    width, heads = number("embedding_length"), number("attention.head_count")
    sizes = Sizes(len(field["tokenizer.ggml.tokens"].data), width, number("block_count"), heads, number("attention.head_count_kv"), width // heads,
                  number("feed_forward_length"), number("rope.freq_base"), 1e-6)
    return with_weights(Mini(sizes), read(path))


def answers(model: Mini, vocab: Vocab, prompts: list[str]) -> list[str]:
    return [vocab.decode(ids) for ids in greedy(model, [vocab.encode(p) for p in prompts], vocab.end)]


def run(model: Mini, vocab: Vocab, task: Task, items: int, seed: int) -> tuple[dict[str, float], list[tuple[str, str]]]:
    rng, words = random.Random(f"{seed} {task.name}"), pool(task.split)
    chats = [task.make(rng, words) for _ in range(items)]
    got = answers(model, vocab, [prompt(c) for c in chats])
    scores = {name: 100 * sum(check(c, a) for c, a in zip(chats, got)) / items for name, (check, _) in task.scores.items()}
    strictest = list(task.scores.values())[-1][0]
    return scores, [(c.messages[-2]["content"], a) for c, a in zip(chats, got) if not strictest(c, a)]


def work(job: tuple[Path, int, int, int]) -> tuple[dict[str, float], list[tuple[str, str]]]:
    path, task, items, seed = job
    torch.set_num_threads(1)
    return run(load(path), Vocab(), TASKS[task], items, seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--failures", type=int, default=0, help="show this many wrong answers of each kind")
    parser.add_argument("--only", default="", help="only tasks whose name holds this")
    args = parser.parse_args()
    chosen = [i for i, task in enumerate(TASKS) if args.only in task.name]
    started, results = time.time(), {}
    print("| task | score | target | reached |\n|---|---|---|---|")
    with mp.get_context("spawn").Pool(args.processes) as workers:
        for i, (scores, wrong) in zip(chosen, workers.imap(work, [(args.gguf, i, args.items, args.seed) for i in chosen])):
            task = TASKS[i]
            for name, score in scores.items():
                target = task.scores[name][1]
                print(f"| {task.name} | {name} | {'' if target is None else f'{target:g}'} | {score:.1f} |", flush=True)
                results[f"{task.name}: {name}"] = score
            for question, answer in wrong[:args.failures]:
                print(f"    {question!r}\n      -> {answer!r}")
    model, vocab = load(args.gguf), Vocab()
    for question, answer in zip(PHRASES, answers(model, vocab, [f"<|im_start|>user\n{q}<|im_end|>\n<|im_start|>assistant\n" for q in PHRASES])):
        print(f"\n{question}\n{answer}")
    print(f"\n{args.items} items a task, {time.time() - started:.0f} s")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
