"""Log-probability and entropy by token from hidden states, without ever holding all logits.

Logits are made, used and dropped in pieces of rows, forward and again backward: at 150k vocabulary entries a row of float32
logits is 0.6 MB. The vocabulary may be split over tensor-parallel ranks; its padded rows count nothing.
"""

import torch
import torch.distributed as dist
from megatron.core import parallel_state as mpu
from megatron.core.tensor_parallel import copy_to_tensor_model_parallel_region, gather_from_sequence_parallel_region
from torch import Tensor

# Rows whose logits exist at one time.
PIECE_ROWS = 1024


def token_scores(
    hidden: Tensor, weight: Tensor, labels: Tensor, temperature: float, vocabulary: int, sequence_parallel: bool
) -> tuple[Tensor, Tensor]:
    """Log-probability of each label and entropy of its distribution, in nats; both f32[P] with gradient.

    ``hidden`` [P or its sequence-parallel share, 1, H], ``weight`` [this rank's vocabulary rows, H], ``labels`` i64[P],
    ``vocabulary`` rows without padding.
    """
    if sequence_parallel:
        hidden = gather_from_sequence_parallel_region(hidden, tensor_parallel_output_grad=True)
    else:
        hidden = copy_to_tensor_model_parallel_region(hidden)
    return _PiecewiseScores.apply(hidden.squeeze(1), weight, labels, temperature, vocabulary)


class _PiecewiseScores(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, labels, temperature, vocabulary):
        group = mpu.get_tensor_model_parallel_group()
        first = mpu.get_tensor_model_parallel_rank() * weight.shape[0]
        split = _Split(group, first, max(0, min(weight.shape[0], vocabulary - first)))
        logprobs = torch.empty(labels.shape, dtype=torch.float32, device=hidden.device)
        entropies = torch.empty_like(logprobs)
        log_sums = torch.empty_like(logprobs)
        for rows in _pieces(len(labels)):
            logits = split.logits(hidden[rows], weight, temperature)
            log_sums[rows] = split.log_sum_exp(logits)
            logprobs[rows] = split.picked(logits, labels[rows]) - log_sums[rows]
            probabilities = (logits - log_sums[rows, None]).exp_()
            # Padded rows are minus infinity, and 0 times that is no number.
            expected = (probabilities * logits.nan_to_num(neginf=0.0)).sum(-1)
            entropies[rows] = log_sums[rows] - split.summed(expected)
        ctx.save_for_backward(hidden, weight, labels, log_sums, entropies)
        ctx.split, ctx.temperature = split, temperature
        return logprobs, entropies

    @staticmethod
    def backward(ctx, of_logprobs, of_entropies):
        hidden, weight, labels, log_sums, entropies = ctx.saved_tensors
        split, temperature = ctx.split, ctx.temperature
        to_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        # Summed over pieces in float32, and rounded once.
        to_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device) if ctx.needs_input_grad[1] else None
        for rows in _pieces(len(labels)):
            logits = split.logits(hidden[rows], weight, temperature)
            logs = logits - log_sums[rows, None]
            probabilities = logs.exp()
            # d(log p_y)/dz = [y] - p, d(entropy)/dz = -p (log p + entropy)
            gradient = probabilities * -of_logprobs[rows, None]
            split.add_picked(gradient, labels[rows], of_logprobs[rows])
            if of_entropies.any():
                logs = logs.nan_to_num_(neginf=0.0)
                gradient -= probabilities * (logs + entropies[rows, None]) * of_entropies[rows, None]
            gradient = gradient.div_(temperature).to(hidden.dtype)
            if to_hidden is not None:
                to_hidden[rows] = gradient @ weight
            if to_weight is not None:
                to_weight += (gradient.t() @ hidden[rows]).float()
        return to_hidden, None if to_weight is None else to_weight.to(weight.dtype), None, None, None


class _Split:
    """This rank's part of the vocabulary: ``counted`` rows of it from ``first`` on are no padding."""

    def __init__(self, group, first: int, counted: int):
        self.group, self.first, self.counted = group, first, counted
        self.alone = dist.get_world_size(group) == 1

    def logits(self, hidden, weight, temperature):
        logits = torch.nn.functional.linear(hidden, weight).float().div_(temperature)
        logits[:, self.counted :] = -torch.inf
        return logits

    def log_sum_exp(self, logits):
        highest = logits.amax(-1) if logits.shape[-1] else torch.full_like(logits[:, 0], -torch.inf)
        if not self.alone:
            dist.all_reduce(highest, dist.ReduceOp.MAX, group=self.group)
        return self.summed((logits - highest[:, None]).exp().sum(-1)).log() + highest

    def picked(self, logits, labels):
        local, mine = self._local(labels)
        picked = logits.gather(1, local[:, None]).squeeze(1)
        return self.summed(torch.where(mine, picked, torch.zeros_like(picked)))

    def add_picked(self, gradient, labels, amounts):
        local, mine = self._local(labels)
        gradient.scatter_add_(1, local[:, None], torch.where(mine, amounts, torch.zeros_like(amounts))[:, None])

    def summed(self, values):
        if not self.alone:
            dist.all_reduce(values, group=self.group)
        return values

    def _local(self, labels):
        local = labels - self.first
        mine = (local >= 0) & (local < self.counted)
        return torch.where(mine, local, torch.zeros_like(local)), mine


def _pieces(rows: int):
    return (slice(first, min(first + PIECE_ROWS, rows)) for first in range(0, rows, PIECE_ROWS))
