"""What a step's micro-batches add up to, kept on the device: one read when the step ends, not one a micro-batch."""

from collections.abc import Callable

import torch
from torch import Tensor

from sluice_megatron.losses import Terms

_SUMS = ("loss", "pgLoss", "mtpLoss", "entropy", "kl", "klLoss", "clipFraction", "importanceRatio")
_MISMATCH = ("ratio", "clipFraction", "distance")
_ALL = (*_SUMS, *(f"mismatch.{name}" for name in _MISMATCH), "masked", "differences", "compared")


class StepSums:
    """Figures of all optimizer steps of a batch on one rank; names as on the wire (``TrainMetrics``)."""

    def __init__(self, device: torch.device | str = "cpu"):
        self._sums = torch.zeros(len(_ALL), dtype=torch.float64, device=device)
        self._most = torch.zeros((), dtype=torch.float64, device=device)
        self._has_mismatch = False
        self._has_masked = False

    def add(self, terms: Terms, total_loss: Tensor | None = None, mtp_loss: Tensor | None = None) -> None:
        """Adds a micro-batch; ``total_loss`` is what was minimised where that is more than ``terms.loss``."""
        none = torch.zeros_like(terms.kl.detach())
        mismatch = terms.mismatch
        self._has_mismatch |= mismatch is not None
        self._has_masked |= terms.masked is not None
        figures = [
            terms.loss if total_loss is None else total_loss,
            terms.policy_gradient,
            none if mtp_loss is None else mtp_loss,
            terms.entropy,
            terms.kl,
            terms.kl_loss,
            terms.clip_fraction,
            terms.ratio,
            *([none] * 3 if mismatch is None else [mismatch.ratio, mismatch.clip_fraction, mismatch.distance]),
            none if terms.masked is None else terms.masked,
        ]
        self._sums[: len(figures)] += torch.stack([figure.detach().double() for figure in figures])

    def compare(self, logprobs: Tensor, rollout: Tensor, weights: Tensor) -> None:
        """Notes how far log-probabilities [P] lie from the engines', over tokens with a gradient.

        For the first optimizer step alone, the only one whose policy sampled the batch.
        """
        trained = weights > 0
        difference = (logprobs.detach() - rollout).abs().masked_fill(~trained, 0).double()
        self._most = torch.maximum(self._most, difference.max())
        self._sums[-2:] += torch.stack([difference.sum(), trained.sum().double()])

    def reduce(self, add: Callable[[Tensor], Tensor], most: Callable[[Tensor], Tensor]) -> None:
        """Takes in other data- and context-parallel ranks' sums; the functions return sum and maximum over ranks."""
        self._sums = add(self._sums)
        self._most = most(self._most)

    def metrics(self, optimizer_steps: int) -> dict[str, object]:
        """Means over the optimizer steps, under the names of ``TrainMetrics``."""
        values = dict(zip(_ALL, self._sums.tolist(), strict=True))
        steps = max(1, optimizer_steps)
        metrics: dict[str, object] = {name: values[name] / steps for name in _SUMS}
        if self._has_mismatch:
            metrics["mismatch"] = {name: values[f"mismatch.{name}"] / steps for name in _MISMATCH}
        if self._has_masked:
            metrics["opsmClipFraction"] = values["masked"] / steps
        compared = values["compared"]
        metrics["trainRolloutLogprobMaxDifference"] = float(self._most)
        metrics["trainRolloutLogprobMeanDifference"] = values["differences"] / compared if compared else 0.0
        return metrics
