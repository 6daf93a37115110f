"""Writes tests/golden/mini/greedy.json: what Transformers answers, in float32, on the weights as the Q8_0 file holds them.

    python make_goldens.py ../../models/quern-mini.gguf ../../tests/golden/mini/greedy.json

Quern rounds activations to 8 bits, so a near tie may fall the other way there. `margin` is the gap between the best and the
second-best logit at each step; only answers whose smallest gap is comfortable are kept.
"""
import argparse
import hashlib
import json
import random
from pathlib import Path

import torch

import text
from export import in_transformers, read
from measure import PHRASES, load
from text.chat import prompt
from vocab import Vocab

NEW_TOKENS = 48
COMFORTABLE = 1.0   # logits
WANTED = 12
SEED = 12


def candidates() -> list[tuple[str, str]]:
    """(kind, prompt): the fixed phrases first, then unseen questions of every kind."""
    out = [("phrase", f"<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n") for p in PHRASES]
    rng, words = random.Random(SEED), text.pool("test")
    for _ in range(6):
        for kind in ("tool_call", "count", "json", "tool_reply", "arithmetic", "recall", "mixed"):
            out.append((kind, prompt(text.KINDS[kind][0](rng, words))))
    return out


@torch.inference_mode()
def greedy(model, ids: list[int], end: int) -> tuple[list[int], list[float]]:
    new, margins = [], []
    while len(new) < NEW_TOKENS and end not in new:
        best = model(torch.tensor([ids + new])).logits[0, -1].topk(2)
        new.append(int(best.indices[0]))
        margins.append(round(float(best.values[0] - best.values[1]), 3))
    return new, margins


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("golden", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    vocab = Vocab()
    model = in_transformers(load(args.gguf).sizes, read(args.gguf))
    kept, per_kind = [], {}
    for kind, shown in candidates():
        if len(kept) == WANTED or per_kind.get(kind, 0) == (5 if kind == "phrase" else 2):
            continue
        ids = vocab.encode(shown)
        new, margins = greedy(model, ids, vocab.end)
        if min(margins) >= COMFORTABLE:
            per_kind[kind] = per_kind.get(kind, 0) + 1
            kept.append({"kind": kind, "prompt": shown, "ids": ids, "answer": vocab.decode(new), "new_ids": new, "margin": margins})
    golden = {"model_sha256": hashlib.sha256(args.gguf.read_bytes()).hexdigest(), "weights": "Q8_0, dequantised", "reference": "Transformers Qwen2ForCausalLM, float32",
              "smallest_margin": min(min(k["margin"]) for k in kept), "cases": kept}
    args.golden.parent.mkdir(parents=True, exist_ok=True)
    lines = json.dumps(golden, ensure_ascii=False, indent=1)
    args.golden.write_text(flat_lists(lines) + "\n", encoding="utf-8")
    print(f"{args.golden}: {len(kept)} cases, smallest margin {golden['smallest_margin']}")


def flat_lists(text_: str) -> str:
    """Number lists on one line each, so that a change reads well in a diff."""
    out, inside = [], False
    for line in text_.split("\n"):
        if inside:
            out[-1] += line.strip() + ("" if line.strip().startswith("]") else " ")
            inside = not line.strip().startswith("]")
        else:
            out.append(line)
            inside = line.endswith("[") and "cases" not in line
    return "\n".join(out).replace(", ]", "]").replace(" ]", "]")


if __name__ == "__main__":
    main()
