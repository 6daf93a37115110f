"""Qwen2's architecture in plain PyTorch, small enough to read beside the Transformers class that judges it.

Letters: B rows, T tokens in a row, D width, H query heads, K key/value heads, F feed-forward width, L layers, V vocabulary.
"""
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    vocab: int
    width: int = 256      # every row length is a multiple of 256, so every GGUF block size fits
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    ffn: int = 512
    theta: float = 10000.0
    eps: float = 1e-6

    def as_dict(self) -> dict:
        return asdict(self)


class Layer(nn.Module):
    def __init__(self, s: Sizes):
        super().__init__()
        kv = s.kv_heads * s.head

        def matrix(rows: int, columns: int, scale: float = 1.0) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, columns) * (0.6 * scale / math.sqrt(columns)))

        to_stream = 1 / math.sqrt(2 * s.layers)
        self.attn_norm = nn.Parameter(torch.ones(s.width))
        self.q, self.k, self.v = matrix(s.heads * s.head, s.width), matrix(kv, s.width), matrix(kv, s.width)
        self.q_bias, self.k_bias, self.v_bias = (nn.Parameter(torch.zeros(n)) for n in (s.heads * s.head, kv, kv))
        self.o = matrix(s.width, s.heads * s.head, to_stream)
        self.ffn_norm = nn.Parameter(torch.ones(s.width))
        self.gate, self.up = matrix(s.ffn, s.width), matrix(s.ffn, s.width)
        self.down = matrix(s.width, s.ffn, to_stream)


class Mini(nn.Module):
    def __init__(self, sizes: Sizes):
        super().__init__()
        self.sizes = sizes
        self.embed = nn.Parameter(torch.randn(sizes.vocab, sizes.width) * 0.02)   # tied: also the output matrix
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        self.norm = nn.Parameter(torch.ones(sizes.width))

    def turns(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """cos and sin, each [..., head]: halves rotate against each other, not neighbours."""
        s = self.sizes
        frequency = s.theta ** (-torch.arange(0, s.head, 2, dtype=torch.float32) / s.head)
        angle = positions.float().unsqueeze(-1) * frequency
        angle = torch.cat((angle, angle), -1)
        return angle.cos(), angle.sin()

    def forward(self, ids: Tensor, dtype: torch.dtype = torch.float32, cache: "Cache | None" = None) -> Tensor:
        """ids [B, T] -> final hidden states [B, T, D], float32. Rows are padded on the right, so causality hides the padding."""
        s = self.sizes
        positions = torch.arange(ids.shape[1])[None] if cache is None else cache.positions(ids)
        cos, sin = (t.unsqueeze(1).to(dtype) for t in self.turns(positions))   # [B or 1, 1, T, head]
        x = F.embedding(ids, self.embed)
        for i, layer in enumerate(self.layers):
            x = x + self._attention(layer, i, norm(x, layer.attn_norm, s.eps).to(dtype), cos, sin, cache)
            h = norm(x, layer.ffn_norm, s.eps).to(dtype)
            gate, up = F.linear(h, torch.cat((layer.gate, layer.up)).to(dtype)).split(s.ffn, -1)
            x = x + F.linear(F.silu(gate) * up, layer.down.to(dtype))
        return norm(x, self.norm, s.eps)

    def _attention(self, layer: Layer, i: int, h: Tensor, cos: Tensor, sin: Tensor, cache: "Cache | None") -> Tensor:
        s, (rows, tokens, _) = self.sizes, h.shape
        kv = s.kv_heads * s.head
        bias = torch.cat((layer.q_bias, layer.k_bias, layer.v_bias)).to(h.dtype)
        qkv = F.linear(h, torch.cat((layer.q, layer.k, layer.v)).to(h.dtype), bias)
        q, k, v = (t.view(rows, tokens, -1, s.head).transpose(1, 2) for t in qkv.split((s.heads * s.head, kv, kv), -1))
        q, k = turned(q, cos, sin), turned(k, cos, sin)
        if cache is None:
            seen = torch.ones(tokens, tokens, dtype=torch.bool).tril()
        else:
            k, v, seen = cache.extend(i, k, v)
        out = attention(q, k, v, seen)
        return F.linear(out.transpose(1, 2).reshape(rows, tokens, -1), layer.o.to(h.dtype))

    def logits(self, hidden: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        return F.linear(hidden.to(dtype), self.embed.to(dtype)).float()


def norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


def attention(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    """q [B, H, T, head], k and v [B, K, S, head], seen [T, S] or [B, T, S] -> [B, H, T, head].

    Written out because PyTorch's fused CPU kernel took 4 to 5 times as long at T = 80..128 (Zen 5, one thread, bf16, both directions).
    """
    rows, heads, tokens, head = q.shape
    kv_heads = k.shape[1]
    scores = (q * head**-0.5).reshape(rows, kv_heads, -1, head) @ k.mT                     # heads of a group lie one behind the other
    bias = torch.zeros((), dtype=q.dtype).where(seen, float("-inf")).reshape(-1, 1, 1, tokens, k.shape[2])
    weights = (scores.view(rows, kv_heads, -1, tokens, k.shape[2]) + bias).softmax(-1)
    return (weights.view(rows, kv_heads, -1, k.shape[2]) @ v).reshape(rows, heads, tokens, head)


class Cache:
    """Keys and values of a batch whose rows have different lengths; a row's next token goes to its own next place."""

    def __init__(self, sizes: Sizes, rows: int, places: int):
        shape = (sizes.layers, rows, sizes.kv_heads, places, sizes.head)
        self.k, self.v = torch.zeros(shape), torch.zeros(shape)
        self.lengths = torch.zeros(rows, dtype=torch.long)   # places filled before this call
        self.at = torch.zeros(0)

    def keep(self, rows: Tensor) -> None:
        self.k, self.v, self.lengths = self.k[:, rows], self.v[:, rows], self.lengths[rows]

    def positions(self, ids: Tensor) -> Tensor:
        self.at = self.lengths[:, None] + torch.arange(ids.shape[1])   # [B, T]
        return self.at

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        index = self.at[:, None, :, None].expand(k.shape)
        self.k[layer].scatter_(2, index, k)
        self.v[layer].scatter_(2, index, v)
        used = int(self.at.max()) + 1
        mask = torch.arange(used)[None, None] <= self.at[..., None]   # [B, T, used]
        return self.k[layer, :, :, :used], self.v[layer, :, :, :used], mask


@torch.inference_mode()
def greedy(model: Mini, prompts: list[list[int]], end: int, new_tokens: int = 200, batch_tokens: int = 10000) -> list[list[int]]:
    """The most likely continuation of each prompt, without the end token."""
    answers: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    while order:
        rows = order[:max(1, batch_tokens // len(prompts[order[0]]))]   # more would fall out of the processor's cache
        order = order[len(rows):]
        lengths = torch.tensor([len(prompts[i]) for i in rows])
        ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        for row, i in enumerate(rows):
            ids[row, :len(prompts[i])] = torch.tensor(prompts[i])
        cache = Cache(model.sizes, len(rows), ids.shape[1] + new_tokens)
        hidden = model(ids, cache=cache)[torch.arange(len(rows)), lengths - 1]
        cache.lengths = lengths
        for _ in range(new_tokens):
            token = model.logits(hidden).argmax(-1)
            running = token != end
            if int(running.sum()) < len(rows):   # rows that have ended leave the batch
                rows = [i for i, goes_on in zip(rows, running.tolist()) if goes_on]
                if not rows:
                    break
                token = token[running]
                cache.keep(running)
            for i, t in zip(rows, token.tolist()):
                answers[i].append(t)
            hidden = model(token[:, None], cache=cache)[:, 0]
            cache.lengths = cache.lengths + 1
    return answers
