"""Log-probability and entropy by token from hidden states, and their gradients.

Logits are made in pieces of rows. A piece is read once forward and once backward, where it is turned into its own gradient in
place; float32 exists in registers alone (score_kernels.py) or, without Triton, for one piece at a time. Logits are kept
between the two while they are few, and made again otherwise. The vocabulary may be split over tensor-parallel ranks; its
padded rows count nothing.
"""

import torch
import torch.distributed as dist
from megatron.core import parallel_state as mpu
from megatron.core.tensor_parallel import copy_to_tensor_model_parallel_region, gather_from_sequence_parallel_region
from torch import Tensor
from torch.nn.functional import linear

from sluice_megatron import score_kernels

# Logits that are made at one time: 4,096 rows in bfloat16 at 155k entries. Each piece is a pass over the weight's whole gradient,
# which moves as much memory as takes an H100 the time of the product itself where a piece has 1,024 rows.
PIECE_BYTES = 5 << 28
# Rows of a tile of matrix products.
_TILE = 128
# More logits than this are made again backward. A micro-batch of 8,192 tokens at 150k entries has 2.5 GB.
KEPT_BYTES = 4 << 30


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
    group = mpu.get_tensor_model_parallel_group()
    first = mpu.get_tensor_model_parallel_rank() * weight.shape[0]
    counted = max(0, min(weight.shape[0], vocabulary - first))
    mine = (labels >= first) & (labels < first + counted)
    local = torch.where(mine, labels - first, torch.full_like(labels, -1))
    return _PiecewiseScores.apply(hidden.squeeze(1), weight, local, counted, temperature, group)


class _PiecewiseScores(torch.autograd.Function):
    """``local`` i64[P]: the label's row of this rank's weight, -1 where another rank has it."""

    @staticmethod
    def forward(ctx, hidden, weight, local, counted, temperature, group):
        sums = torch.empty((4, len(local)), dtype=torch.float32, device=hidden.device)
        keep = len(local) * weight.shape[0] * weight.dtype.itemsize <= KEPT_BYTES and any(ctx.needs_input_grad[:2])
        kept = []
        for rows in _pieces(len(local), weight):
            logits = linear(hidden[rows], weight)
            sums[:, rows] = score_kernels.row_sums(logits, local[rows], counted, temperature)
            if keep:
                kept.append(logits)
        highest, exponentials, products, picked = _over_vocabulary(sums, group)
        log_sums = exponentials.log() + highest
        entropies = log_sums - products / exponentials
        ctx.save_for_backward(hidden, weight, local, log_sums, entropies, *kept)
        ctx.counted, ctx.temperature = counted, temperature
        return picked - log_sums, entropies

    @staticmethod
    def backward(ctx, of_logprobs, of_entropies):
        hidden, weight, local, log_sums, entropies, *kept = ctx.saved_tensors
        to_hidden = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        to_weight = _WeightGradient(weight) if ctx.needs_input_grad[1] else None
        for number, rows in enumerate(_pieces(len(local), weight)):
            logits = kept[number] if kept else linear(hidden[rows], weight)
            gradient = score_kernels.gradient(
                logits,
                local[rows],
                score_kernels.Given(log_sums[rows], entropies[rows], of_logprobs[rows], of_entropies[rows]),
                ctx.counted,
                ctx.temperature,
            )
            if to_hidden is not None:
                torch.mm(gradient, weight, out=to_hidden[rows])
            if to_weight is not None:
                to_weight.add(gradient.t(), hidden[rows])
        return to_hidden, to_weight and to_weight.for_autograd(), None, None, None, None


class _WeightGradient:
    """Summed over pieces in float32: in the buffer of Megatron's DistributedDataParallel where the weight has one, as in
    megatron/core/tensor_parallel/layers.py with gradient_accumulation_fusion."""

    def __init__(self, weight: Tensor):
        self._weight = weight
        self._in_buffer = hasattr(weight, "grad_added_to_main_grad")
        self._sum = weight.main_grad if self._in_buffer else torch.zeros_like(weight, dtype=torch.float32)

    def add(self, left: Tensor, right: Tensor):
        if left.is_cuda and left.dtype != self._sum.dtype:
            torch.addmm(self._sum, left, right, out_dtype=self._sum.dtype, out=self._sum)
        else:
            self._sum += left @ right

    def for_autograd(self) -> Tensor:
        """The gradient; where it is in the buffer already, what DistributedDataParallel only waits for."""
        if not self._in_buffer:
            return self._sum.to(self._weight.dtype)
        self._weight.grad_added_to_main_grad = True
        # Where the embedding is the same weight, DistributedDataParallel adds what autograd sums up.
        shared = getattr(self._weight, "zero_out_wgrad", False)
        return torch.zeros_like(self._weight) if shared else torch.empty_like(self._weight)


def _over_vocabulary(sums: Tensor, group) -> Tensor:
    """Rows' sums over all ranks' parts of the vocabulary."""
    if dist.get_world_size(group) == 1:
        return sums
    highest = sums[0].clone()
    dist.all_reduce(highest, dist.ReduceOp.MAX, group=group)
    # A part of padding alone has no highest.
    shift = (sums[0] - highest).exp().nan_to_num()
    shifted = torch.stack([sums[1] * shift, sums[2] * shift, sums[3]])
    dist.all_reduce(shifted, group=group)
    return torch.cat([highest[None], shifted])


def _pieces(rows: int, weight: Tensor) -> list[slice]:
    """As few pieces as there can be, of about the same size, in whole tiles."""
    most = max(1, PIECE_BYTES // (weight.shape[0] * weight.dtype.itemsize * _TILE))
    tiles = -(-rows // _TILE)
    each = -(-tiles // -(-tiles // most)) * _TILE
    return [slice(first, min(first + each, rows)) for first in range(0, rows, each)]
