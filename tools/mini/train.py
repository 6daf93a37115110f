"""Trains quern-mini on text made as it goes; stops on time on any machine, because the learning rate follows the clock.

Two or more single-thread processes share each step (gloo) on CPUs. A checkpoint every few minutes lets it go on after a stop.
    python train.py --minutes 90 --out build            # from the start
    python train.py --minutes 30 --out build --from build/model.pt --rate 0.5 --weights tool_call=40,json=30
"""
import argparse
import json
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

import text
from model import Mini, Sizes
from optimizer import Muon
from text.chat import pieces
from vocab import Vocab

LONGEST = 2000          # tokens; a longer document is left out
MICRO_TOKENS = 3000     # padded tokens in one forward pass: larger falls out of the cache, smaller wastes calls
SLOWEST_STEP_S = 10.0    # a step that takes longer was paused from outside, and the pause does not count
ARITHMETIC_WEIGHT = 2.0  # a fact of arithmetic is few tokens


@dataclass
class Document:
    kind: str
    ids: list[int]
    learnt: list[int]   # positions whose next token is learnt
    weight: float


def make_documents(vocab: Vocab, rng: random.Random, count: int, progress: float, weights: dict | None) -> list[Document]:
    out = []
    while len(out) < count:
        chat = text.sample(rng, "train", progress, weights)
        ids: list[int] = []
        learnt: list[int] = []
        for piece, is_learnt in pieces(chat):
            piece_ids = vocab.encode(piece)
            if is_learnt:
                learnt += range(len(ids) - 1, len(ids) + len(piece_ids) - 1)
            ids += piece_ids
        if len(ids) <= LONGEST:
            out.append(Document(chat.kind, ids, learnt, ARITHMETIC_WEIGHT if chat.kind == "arithmetic" else 1.0))
    return out


def micro_batches(documents: list[Document]) -> list[list[Document]]:
    """Sorted by length, so that little of a batch is padding."""
    batches: list[list[Document]] = [[]]
    for d in sorted(documents, key=lambda d: len(d.ids)):
        if batches[-1] and (len(batches[-1]) + 1) * len(d.ids) > MICRO_TOKENS:
            batches.append([])
        batches[-1].append(d)
    return batches


def loss_sum(model, vocab_model: Mini, batch: list[Document], dtype: torch.dtype, per_kind: dict[str, list[float]]) -> tuple[torch.Tensor, float]:
    """The weighted sum over learnt positions, and the sum of weights. Adds [loss, tokens] of each document to `per_kind`."""
    longest = -(-max(len(d.ids) for d in batch) // 16) * 16
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    at, wanted, weight = [], [], []
    for row, d in enumerate(batch):
        ids[row, :len(d.ids)] = torch.tensor(d.ids)
        at += [row * longest + p for p in d.learnt]
        wanted += [d.ids[p + 1] for p in d.learnt]
        weight += [d.weight] * len(d.learnt)
    hidden = model(ids, dtype).flatten(0, 1)[torch.tensor(at)]
    losses = F.cross_entropy(vocab_model.logits(hidden, dtype), torch.tensor(wanted), reduction="none")
    for d, of_document in zip(batch, losses.detach().split([len(d.learnt) for d in batch])):
        entry = per_kind.setdefault(d.kind, [0.0, 0.0])
        entry[0] += float(of_document.sum())
        entry[1] += len(d.learnt)
    weights = torch.tensor(weight)
    return (losses * weights).sum(), float(weights.sum())


def rate_at(progress: float, step: int, warm_up: int, flat: float) -> float:
    """Up over the first steps, flat, then straight down to 2 %."""
    down = 1.0 if progress < flat else max(0.02, 0.02 + 0.98 * (1 - progress) / (1 - flat))
    return down * min(1.0, (step + 1) / warm_up)


def work(rank: int, args: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    if args.processes > 1:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=args.processes)
    vocab = Vocab()
    model = Mini(Sizes(len(vocab), layers=args.layers, ffn=args.ffn))
    matrices = [p for layer in model.layers for p in layer.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if not any(p is m for m in matrices)]
    muon = Muon(matrices, 0.02 * args.rate, share=(rank, args.processes), gather=dist.all_reduce if args.processes > 1 else lambda x: None)
    adam = torch.optim.AdamW(others, lr=4e-3 * args.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    step, elapsed, tokens = 0, 0.0, 0
    resume = args.out / "resume.pt"
    if resume.exists() and not args.fresh:
        saved = torch.load(resume, weights_only=False)
        model.load_state_dict(saved["model"])
        adam.load_state_dict(saved["adam"])
        muon.state = saved["muon"]
        step, elapsed, tokens = saved["step"], saved["elapsed"], saved["tokens"]
    elif args.start:
        model.load_state_dict(torch.load(args.start, weights_only=False)["model"])
    run = torch.compile(model, dynamic=True) if args.compile else model
    dtype = torch.bfloat16 if args.bf16 else torch.float32
    parameters = list(model.parameters())
    budget, saved_at, seen = args.minutes * 60, elapsed, 0.0
    started, per_kind = time.monotonic(), {}
    while elapsed < budget:
        progress = elapsed / budget
        rng = random.Random(f"{args.seed} {args.salt} {step} {rank}")
        total_loss, total_weight = 0.0, 0.0
        for batch in micro_batches(make_documents(vocab, rng, args.documents, progress, args.weights)):
            loss, weight = loss_sum(run, model, batch, dtype, per_kind)
            loss.backward()
            total_loss, total_weight = total_loss + float(loss.detach()), total_weight + weight
            tokens += sum(len(d.ids) for d in batch)
        now = time.monotonic()
        seen, started = min(now - started, SLOWEST_STEP_S), now
        flat = torch.cat([p.grad.flatten() for p in parameters] + [torch.tensor([total_loss, total_weight, seen if rank == 0 else 0.0])])
        if args.processes > 1:
            dist.all_reduce(flat)
        _, total_weight, dt = flat[-3:].tolist()
        flat = flat[:-3] / total_weight
        flat *= min(1.0, 1.0 / (float(flat.norm()) + 1e-6))
        for p, g in zip(parameters, flat.split([p.numel() for p in parameters])):
            p.grad.copy_(g.view_as(p))
        scale = rate_at(progress, step, 100 if not args.start else 20, args.flat)
        muon.step(scale)
        for group in adam.param_groups:
            group["lr"] = 4e-3 * args.rate * scale
        adam.step()
        model.zero_grad(set_to_none=False)
        elapsed, step = elapsed + dt, step + 1
        if rank == 0 and step % 50 == 0:
            speed = {"step": step, "s": round(elapsed), "of": round(budget), "rate": round(scale, 3), "Mtok": round(tokens * args.processes / 1e6, 2), "time": time.strftime("%H:%M:%S"),
                     "loss": {kind: round(loss / count, 3) for kind, (loss, count) in sorted(per_kind.items())}}
            print(json.dumps(speed), flush=True)
            per_kind.clear()
        if rank == 0 and (elapsed - saved_at > 240 or elapsed >= budget):
            saved_at = elapsed
            state = {"model": model.state_dict(), "sizes": model.sizes.as_dict(), "step": step, "tokens": tokens, "elapsed": elapsed}
            for path, value in ((args.out / "model.pt", state), (resume, {**state, "adam": adam.state_dict(), "muon": muon.state})):
                torch.save(value, path.with_suffix(".part"))
                os.replace(path.with_suffix(".part"), path)
    if rank == 0:
        resume.unlink(missing_ok=True)
    if args.processes > 1:
        dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for model.pt and resume.pt")
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--from", dest="start", type=Path, help="go on from this model.pt with a new schedule")
    parser.add_argument("--fresh", action="store_true", help="ignore a resume.pt left by a stopped run")
    parser.add_argument("--rate", type=float, default=1.0, help="factor on both learning rates")
    parser.add_argument("--flat", type=float, default=0.4, help="share of the time before the rate goes down")
    parser.add_argument("--weights", help="kind=weight,...: other kinds keep their late weight")
    parser.add_argument("--documents", type=int, default=14, help="documents a process and step")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--ffn", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--salt", default="", help="another stream of documents from the same seed")
    parser.add_argument("--port", type=int, default=29511)
    parser.add_argument("--compile", action="store_true", help="torch.compile; needs a C++ compiler")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="matrix products in bfloat16")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.weights:
        later = {kind: late for kind, (_, _, late) in text.KINDS.items()}
        args.weights = later | {k: float(w) for k, w in (pair.split("=") for pair in args.weights.split(","))}
    if args.processes == 1:
        work(0, args)
    else:
        mp.spawn(work, (args,), nprocs=args.processes)


if __name__ == "__main__":
    main()
