"""Muon for the matrices, AdamW for the rest.

Muon (Jordan et al. 2024) replaces a matrix's momentum by its nearest orthogonal matrix, found with a few Newton-Schulz steps.
On this model it needs about a third of AdamW's tokens to learn to copy.
"""
from collections.abc import Callable

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)   # quintic iteration, tuned for speed near zero rather than for exactness


def orthogonal(x: Tensor, steps: int = 5) -> Tensor:
    """x [M, rows, columns], each matrix on its own."""
    a, b, c = COEFFICIENTS
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = (x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if tall else x).float()


class Muon:
    """`share` is (rank, ranks): each process makes its part of the matrices orthogonal, and `gather` adds the parts up."""

    def __init__(self, matrices: list[Tensor], rate: float = 0.02, momentum: float = 0.95, decay: float = 0.02,
                 share: tuple[int, int] = (0, 1), gather: Callable[[Tensor], None] = lambda x: None):
        self.rate, self.momentum, self.decay, self.share, self.gather = rate, momentum, decay, share, gather
        self.groups: dict[tuple, list[Tensor]] = {}
        for m in matrices:
            self.groups.setdefault(tuple(m.shape), []).append(m)
        self.state = {shape: torch.zeros(len(ms), *shape) for shape, ms in self.groups.items()}

    @torch.no_grad()
    def step(self, scale: float) -> None:
        rank, ranks = self.share
        rate = self.rate * scale
        for shape, matrices in self.groups.items():
            gradient = torch.stack([m.grad for m in matrices])
            velocity = self.state[shape]
            velocity.lerp_(gradient, 1 - self.momentum)
            wanted = gradient.lerp_(velocity, self.momentum)
            update = torch.zeros_like(wanted)
            mine = slice(rank * len(matrices) // ranks, (rank + 1) * len(matrices) // ranks)
            update[mine] = orthogonal(wanted[mine])
            self.gather(update)
            size = max(1.0, shape[0] / shape[1]) ** 0.5
            for m, u in zip(matrices, update):
                m.mul_(1 - rate * self.decay).add_(u, alpha=-rate * size)
