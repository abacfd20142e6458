"""Sums over each sequence of a packed row, over context-parallel ranks where it is cut."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

Reduce = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Sequences:
    """Which sequence each position belongs to, and which positions are trained.

    ``reduce`` returns the sum of a tensor over the context-parallel ranks, the same on each; None without them.
    Backward it is called for gradients too, in the same order on every rank.
    """

    index: Tensor  # i64[P]
    count: int
    weights: Tensor  # [P], above 0 where a position is trained
    reduce: Reduce | None = None

    @cached_property
    def mask(self) -> Tensor:
        """bool[P]."""
        return self.weights > 0

    @cached_property
    def lengths(self) -> Tensor:
        """Trained positions of each sequence, at least 1; f64[count]. Counted once: over ranks it is a message."""
        return self._sums(torch.ones_like(self.weights)).clamp_min(1)

    def trained(self, by_token: Tensor) -> Tensor:
        """The values [P] where a position is trained, else 0, with no gradient through the others.

        A product with a weight of 0 would not do: exp() of an untrained token may overflow, and infinity times 0 is
        NaN.
        """
        return by_token.masked_fill(~self.mask, 0)

    def sum(self, by_token: Tensor) -> Tensor:
        """Sum over each sequence's trained positions, at all of its positions; [P].

        Added in float64 and by index_add, which torch.use_deterministic_algorithms makes deterministic on GPUs.
        """
        return self._sums(by_token).index_select(0, self.index).to(by_token.dtype)

    def mean(self, by_token: Tensor) -> Tensor:
        """Mean over each sequence's trained positions, at all of its positions; [P]."""
        means = self._sums(by_token) / self.lengths
        return means.index_select(0, self.index).to(by_token.dtype)

    def _sums(self, by_token: Tensor) -> Tensor:
        trained = self.trained(by_token).double()
        sums = trained.new_zeros(self.count).index_add(0, self.index, trained)
        return sums if self.reduce is None else _SumOverRanks.apply(sums, self.reduce)


class _SumOverRanks(torch.autograd.Function):
    """A sum over ranks whose losses are added: each rank's gradient is the sum of all ranks' too."""

    @staticmethod
    def forward(ctx, values: Tensor, reduce: Reduce) -> Tensor:
        ctx.reduce = reduce
        return reduce(values)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.reduce(gradient), None
