"""Weights of tokens by how far the trainer's old policy is from the engine that sampled; without gradient.

Source: slime's compute_mis_weights,
https://github.com/THUDM/slime/blob/main/examples/train_infer_mismatch_helper/mis.py
"""

import math
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from sluice_megatron.sequences import Sequences

# Bound on the log-ratio of a sequence, whose exponential would overflow.
_MOST = 20.0


class Correction(Protocol):
    """What ``MismatchCorrection`` of common/worker-api says: type ``tis`` or ``icepop``; level ``token``, ``sequence``
    or ``geometric``.
    """

    type: str
    low: float
    high: float
    level: str
    veto: float | None


@dataclass(frozen=True)
class Mismatch:
    """What the weights did; figures are scalars, over the tokens that had a gradient before any was left out."""

    by_token: Tensor  # [P], what a token's loss is multiplied by
    ratio: Tensor  # old policy's probability by the engine's, before any bound
    clip_fraction: Tensor  # share of tokens whose weight is not that ratio
    distance: Tensor  # of the ratio from 1


def mismatch_of(
    old: Tensor, rollout: Tensor, weights: Tensor, sequences: Sequences, correction: Correction
) -> Mismatch:
    """Weights by old and rollout log-probabilities [P]; ``weights`` [P] are the mask divided by the normaliser."""
    difference = sequences.trained(old.detach() - rollout)
    if correction.level == "token":
        log_ratio = difference
    elif correction.level == "sequence":
        log_ratio = sequences.sum(difference).clamp(-_MOST, _MOST)
    else:
        log_ratio = sequences.mean(difference).clamp(-_MOST, _MOST)
    ratio = log_ratio.exp()
    clipped = ratio.clamp(correction.low, correction.high)
    weight = clipped if correction.type == "tis" else ratio.masked_fill(clipped != ratio, 0)
    if correction.veto is not None:
        implausible = sequences.trained((difference < math.log(correction.veto)).to(ratio.dtype))
        weight = weight.masked_fill(sequences.sum(implausible) > 0, 0)
    return Mismatch(
        by_token=weight,
        ratio=(ratio * weights).sum(),
        clip_fraction=((weight != ratio) * weights).sum(),
        distance=((ratio - 1).abs() * weights).sum(),
    )
