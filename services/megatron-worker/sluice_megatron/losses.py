"""The objective by token, as services/cpu-backend's ``PolicyLoss`` and ``ValueLoss`` compute it, on packed rows.

Clipped surrogate with the asymmetric clip of DAPO (arXiv 2503.14476, section 3.1) and, where asked for, the second clip
of dual-clip PPO (1912.09729, equation 4); GSPO's with one ratio a sequence (2507.18071, equation 5); CISPO's weighted
log-probabilities (2506.13585, equation 4); or the negative log-probability of given answers. The unbiased divergence
and off-policy sequence masking are DeepSeek-V3.2's (2512.02556, section 3.1).

All tensors are [P]. Every figure is the sum of its token values times ``weights``, so that micro-batches and ranks add
up. No figure leaves the device here: a step reads them once, when it ends.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sluice_megatron.mismatch import Correction, Mismatch, mismatch_of
from sluice_megatron.sequences import Reduce, Sequences

# Bound on the divergence of one token, as slime's low_var_kl has it.
_MAX_KL = 10.0


class Objective(Protocol):
    """What ``LossConfig`` of common/worker-api says of the loss; names of enumerations as on the wire."""

    algorithm: str
    old_logprobs: str
    mtp_loss_scale: float
    clip_low: float
    clip_high: float
    dual_clip: float | None
    kl_loss_coefficient: float
    entropy_coefficient: float
    mismatch_correction: Correction | None
    kl_type: str
    unbiased_kl: bool
    opsm_delta: float | None


@dataclass(frozen=True)
class Given:
    """What the batch gives at each position, without gradient.

    ``sequence`` i64[P] numbers the row's ``sequences`` sequences; ``reduce`` sums over context-parallel ranks.
    """

    old: Tensor  # log-probabilities of the policy that the ratio is taken to
    rollout: Tensor  # log-probabilities of the engines that sampled
    reference: Tensor | None  # absent without divergence term
    advantages: Tensor
    weights: Tensor  # mask divided by the normaliser
    sequence: Tensor
    sequences: int
    reduce: Reduce | None = None


@dataclass(frozen=True)
class Terms:
    """Weighted sums, each a scalar tensor; only ``loss`` has a gradient that counts."""

    loss: Tensor  # policy gradient, entropy and divergence terms together
    policy_gradient: Tensor
    entropy: Tensor
    kl: Tensor  # old minus current log-probability
    kl_loss: Tensor
    clip_fraction: Tensor
    ratio: Tensor  # of the current policy to the old one
    mismatch: Mismatch | None  # absent without its correction
    masked: Tensor | None  # share of tokens that off-policy sequence masking left out; absent without it


@dataclass(frozen=True)
class ValueTerms:
    """Weighted sums of a critic's loss, and of the tokens whose value moved beyond the clip."""

    loss: Tensor
    clip_fraction: Tensor


def policy_loss(logprobs: Tensor, entropy: Tensor, given: Given, objective: Objective) -> Terms:
    """The loss of current log-probabilities and entropies [P], nats at the batch's temperature."""
    sequences = Sequences(given.sequence, given.sequences, given.weights, given.reduce)
    current = sequences.trained(logprobs)
    entropy_sum = (sequences.trained(entropy) * given.weights).sum()
    if objective.algorithm == "sft":
        return _supervised(current, entropy_sum, given.weights)
    old = sequences.trained(given.old)
    log_ratio = current - old
    if objective.algorithm == "gspo":
        log_ratio = sequences.mean(log_ratio)
    ratio = log_ratio.exp()
    surrogate = _weighted if objective.algorithm == "cispo" else _clipped
    by_token, clipped = surrogate(current, ratio, given.advantages, objective)
    masked = None
    if objective.opsm_delta is not None:
        masked = _off_policy(current.detach(), old, given, sequences, objective.opsm_delta)
        by_token = by_token * (1 - masked)
    mismatch = None
    if objective.mismatch_correction is not None:
        mismatch = mismatch_of(given.old, given.rollout, given.weights, sequences, objective.mismatch_correction)
        by_token = by_token * mismatch.by_token
    policy_gradient = (by_token * given.weights).sum()
    loss = policy_gradient
    if objective.entropy_coefficient:
        loss = loss - objective.entropy_coefficient * entropy_sum
    kl_loss = torch.zeros_like(policy_gradient.detach())
    if objective.kl_loss_coefficient and given.reference is not None:
        divergence = _divergence(current - sequences.trained(given.reference), objective.kl_type)
        if objective.unbiased_kl:
            divergence = (current - old).exp() * divergence
        if objective.kl_type == "low_var_kl":
            divergence = divergence.clamp(-_MAX_KL, _MAX_KL)
        kl_loss = (divergence * given.weights).sum()
        loss = loss + objective.kl_loss_coefficient * kl_loss
    return Terms(
        loss=loss,
        policy_gradient=policy_gradient,
        entropy=entropy_sum,
        kl=-(log_ratio * given.weights).sum(),
        kl_loss=kl_loss,
        clip_fraction=(clipped * given.weights).sum(),
        ratio=(ratio * given.weights).sum(),
        mismatch=mismatch,
        masked=None if masked is None else (masked * given.weights).sum(),
    )


def value_loss(values: Tensor, old: Tensor, returns: Tensor, weights: Tensor, clip: float) -> ValueTerms:
    """A critic's loss: the larger squared error of the value and of the value clipped to within ``clip`` of the old.

    Source: arXiv 2005.12729, section 3, and slime's value_loss_function. All tensors are [P].
    """
    trained = weights > 0
    values, old, returns = (column.masked_fill(~trained, 0) for column in (values, old, returns))
    moved = values - old
    clipped = old + moved.clamp(-clip, clip)
    by_token = torch.maximum((clipped - returns).square(), (values - returns).square())
    beyond = moved.detach().abs() > clip
    return ValueTerms(loss=(by_token * weights).sum(), clip_fraction=(beyond * weights).sum())


def _supervised(current: Tensor, entropy_sum: Tensor, weights: Tensor) -> Terms:
    """Cross-entropy of given answers, slime's sft_loss; there is no policy that a ratio could be taken to."""
    loss = -(current * weights).sum()
    none = torch.zeros_like(loss.detach())
    return Terms(loss, none, entropy_sum, none, none, none, none, None, None)


def _clipped(current: Tensor, ratio: Tensor, advantages: Tensor, objective: Objective) -> tuple[Tensor, Tensor]:
    """The loss by token before the mismatch's weight, and where its clip counted."""
    unclipped = -ratio * advantages
    clipped = -_clamp(ratio, objective) * advantages
    by_token = torch.maximum(unclipped, clipped)
    if objective.dual_clip is not None:
        bound = -objective.dual_clip * advantages
        by_token = torch.where(advantages < 0, torch.minimum(bound, by_token), by_token)
    return by_token, clipped > unclipped


def _weighted(current: Tensor, ratio: Tensor, advantages: Tensor, objective: Objective) -> tuple[Tensor, Tensor]:
    """CISPO: the gradient of every token counts, by a ratio that is clipped and has none itself."""
    fixed = ratio.detach()
    clipped = _clamp(fixed, objective)
    return -clipped * advantages * current, clipped != fixed


def _clamp(ratio: Tensor, objective: Objective) -> Tensor:
    return ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)


def _off_policy(current: Tensor, old: Tensor, given: Given, sequences: Sequences, delta: float) -> Tensor:
    """OPSM: 1 at tokens with a negative advantage of a sequence that became less likely by over delta nats a token."""
    departed = sequences.mean(old - current) > delta
    return (departed & (given.advantages < 0)).to(current.dtype)


def _divergence(difference: Tensor, kl_type: str) -> Tensor:
    """Schulman's estimators, http://joschu.net/blog/kl-approx.html, of current minus reference log-probability."""
    match kl_type:
        case "k1":
            return difference
        case "k2":
            return difference.square() / 2
        case "k3" | "low_var_kl":
            return (-difference).exp() - 1 + difference
        case _:
            raise ValueError(f"no estimator {kl_type}")
