"""Measures quern-mini in every quantized format and prints a Markdown table: size, perplexity, ratio to F32.

    python table.py quern-mini-f32.gguf > ../../docs/quant_table.md

Needs the packages numpy, gguf and llama-cpp-python (its quantizer, see quantize.py), Debian's wamerican for tools/mini's word list, and a build
of Quern with its tests. tools/mini/export.py writes the F32 file.

Perplexity is taken over the answers only, in held-out conversations of tools/mini made from a seed. quern-mini never learnt to foresee what
a user asks, so over the whole text its perplexity is mostly that of the questions, and a worse file can look better. Every matrix is in the
format of the row, the embedding (which is also the head) included; products are Quern's own, with int8 activations. `--embedding Q8_0` keeps
the embedding apart, as quantizers of real models do.
"""

import argparse
import hashlib
import math
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type

from quantize import Ggml, find_ggml, rewrite

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "mini"))
import text  # noqa: E402
from text.chat import pieces  # noqa: E402
from vocab import Vocab  # noqa: E402

FORMATS = """F32 F16 BF16 Q8_0 Q6_K Q5_1 Q5_K Q5_0 Q4_1 Q4_K Q4_0 IQ4_NL IQ4_XS MXFP4 Q3_K IQ3_S IQ3_XXS Q2_K IQ2_S IQ2_XS IQ2_XXS TQ2_0 IQ1_M
TQ1_0 IQ1_S""".split()

HEAD = """# What each format costs quern-mini

Written by `tools/quant_table/table.py` from the F32 file with SHA-256 {sha256}.

Perplexity over the {tokens:,} tokens of the answers in {conversations} held-out conversations (seed {seed}), computed by Quern's `cpu` backend with f32 keys and
values. All matrices are in the format, {embedding}; norms and biases are F32. The quantizer is ggml's; IQ1_S, IQ2_XXS and IQ2_XS have a uniform importance
matrix, the others none. ± is the standard error of the ratio, token by token. TQ1_0, TQ2_0 are meant for models trained to be ternary.
"""


@dataclass
class Document:
    ids: list[int]
    learnt: list[bool]  # of each id: is it part of an answer


def documents(count: int, seed: int) -> list[Document]:
    """Conversations over words and names that training never saw."""
    vocab, rng, out = Vocab(), random.Random(seed), []
    while len(out) < count:
        document = Document([], [])
        for piece, learnt in pieces(text.sample(rng, "test")):
            ids = vocab.encode(piece)
            document.ids += ids
            document.learnt += [learnt] * len(ids)
        if len(document.ids) <= 2000:
            out.append(document)
    return out


def answer_losses(program: Path, model: Path, corpus: list[Document]) -> np.ndarray:
    """-ln p of every token of every answer."""
    sent = b"".join(np.array([len(d.ids), *d.ids], dtype=np.int32).tobytes() for d in corpus)
    done = subprocess.run([str(program), str(model)], input=sent, stdout=subprocess.PIPE, check=True)
    losses = np.frombuffer(done.stdout, dtype=np.float64)
    learnt = np.concatenate([np.array(d.learnt[1:]) for d in corpus])
    if losses.size != learnt.size:
        raise RuntimeError(f"{program} gave {losses.size} losses, expected {learnt.size}")
    return losses[learnt]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="quern-mini in F32")
    parser.add_argument("--build", type=Path, default=HERE.parents[1] / "build" / "release", help="build folder of Quern")
    parser.add_argument("--ggml", type=Path, default=find_ggml(), help="libggml-base.so, where llama-cpp-python is not installed")
    parser.add_argument("--embedding", choices=FORMATS, help="keep the token embedding in this format")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.ggml is None:
        parser.error("llama-cpp-python: not installed; pip install llama-cpp-python, or name libggml-base.so with --ggml")
    ggml, corpus = Ggml(args.ggml), documents(args.documents, args.seed)
    program = args.build / "tests" / "oracle_token_loss"

    f32 = answer_losses(program, args.model, corpus)
    print(HEAD.format(sha256=hashlib.sha256(args.model.read_bytes()).hexdigest(), conversations=len(corpus), tokens=f32.size, seed=args.seed,
                      embedding=f"but the token embedding, which is in {args.embedding}" if args.embedding else "the token embedding too"))
    print("| format | file, bytes | perplexity | ratio to F32 |\n| --- | ---: | ---: | ---: |")
    for name in args.formats:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"quern-mini-{name}.gguf"
            rewrite(ggml, args.model, target, Type[name], Type[args.embedding] if args.embedding else None)
            losses = f32 if name == "F32" else answer_losses(program, target, corpus)
            rise = float((losses - f32).mean())
            spread = float((losses - f32).std()) / math.sqrt(f32.size)
            print(f"| {name} | {target.stat().st_size:,} | {math.exp(losses.mean()):.4f} | {math.exp(rise):.4f} ± {math.exp(rise) * spread:.4f} |", flush=True)


if __name__ == "__main__":
    main()
