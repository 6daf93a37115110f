"""Muon for the matrices, AdamW for the rest.

Muon (Jordan et al. 2024) replaces a matrix's momentum by its nearest orthogonal matrix, found with a few Newton-Schulz steps.
On this model it needs about a third of AdamW's tokens to learn to copy.
"""
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
    def __init__(self, matrices: list[Tensor], rate: float = 0.02, momentum: float = 0.95, decay: float = 0.02):
        self.rate, self.momentum, self.decay = rate, momentum, decay
        self.groups: dict[tuple, list[Tensor]] = {}
        for m in matrices:
            self.groups.setdefault(tuple(m.shape), []).append(m)
        self.state = {shape: torch.zeros(len(ms), *shape) for shape, ms in self.groups.items()}

    @torch.no_grad()
    def step(self, scale: float) -> None:
        for shape, matrices in self.groups.items():
            gradient = torch.stack([m.grad for m in matrices])
            velocity = self.state[shape]
            velocity.lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp_(velocity, self.momentum))
            rate = self.rate * scale
            size = max(1.0, shape[0] / shape[1]) ** 0.5
            for m, u in zip(matrices, update):
                m.mul_(1 - rate * self.decay).add_(u, alpha=-rate * size)
