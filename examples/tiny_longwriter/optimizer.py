"""Muon for the matrices of the layers, Adam for embeddings, norms and heads.

gradients -> a step. Matrices of one shape are orthogonalized together, which is what makes Muon
cheap on a CPU. Muon: Keller Jordan, 2024; the polynomial is his.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch

MUON_RATE, ADAM_RATE = 0.02, 0.004
MOMENTUM = 0.95
BETAS = (0.9, 0.98)


class Optimizer:
    """Steps all weights by their gradients."""

    def __init__(self, weights: dict[str, Any]):
        self.count = 0
        groups: dict[tuple[int, ...], list[Any]] = defaultdict(list)
        self.others = []
        for name, value in weights.items():
            if "_proj." in name:
                groups[tuple(value.shape)].append(value)
            else:
                self.others.append(value)
        self.groups = list(groups.values())
        self.momenta = [torch.zeros(len(group), *group[0].shape) for group in self.groups]
        self.moments = [(torch.zeros_like(value), torch.zeros_like(value)) for value in self.others]

    def step(self, scale: float) -> None:
        """Step once at `scale` times the full rates, and forget the gradients."""
        self.count += 1
        with torch.no_grad():
            for group, momentum in zip(self.groups, self.momenta, strict=True):
                self._muon(group, momentum, MUON_RATE * scale)
            for value, (first, second) in zip(self.others, self.moments, strict=True):
                self._adam(value, first, second, ADAM_RATE * scale)

    def _muon(self, group: list[Any], momentum: Any, rate: float) -> None:
        gradient = torch.stack([value.grad for value in group])
        momentum.lerp_(gradient, 1 - MOMENTUM)
        update = orthogonal(gradient.lerp(momentum, MOMENTUM))
        rows, columns = group[0].shape
        rate *= max(1.0, rows / columns) ** 0.5
        for value, change in zip(group, update, strict=True):
            value -= rate * change
            value.grad = None

    def _adam(self, value: Any, first: Any, second: Any, rate: float) -> None:
        first.lerp_(value.grad, 1 - BETAS[0])
        second.lerp_(value.grad.square(), 1 - BETAS[1])
        mean = first / (1 - BETAS[0] ** self.count)
        spread = (second / (1 - BETAS[1] ** self.count)).sqrt() + 1e-10
        value -= rate * mean / spread
        value.grad = None


def orthogonal(x: Any) -> Any:
    """Return a stack of matrices with all singular values near one (five Newton-Schulz steps)."""
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = (x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.mT if tall else x).float()
