"""What rows of logits come to, read once; and their gradient, written over them. By Triton on a GPU, else by PyTorch.

z = logit / temperature. Only the first ``counted`` columns are vocabulary; ``local`` is the label's column, -1 where it lies
in another rank's part.
"""

from typing import NamedTuple

import torch
from torch import Tensor

try:
    import triton
    import triton.language as tl
except ImportError:  # PyTorch for CPUs brings none
    triton = None

_BLOCK = 4096


class Given(NamedTuple):
    """f32[R] each: what is known of the rows, and the gradients of log-probability and entropy."""

    log_sums: Tensor
    entropies: Tensor
    of_logprobs: Tensor
    of_entropies: Tensor


def row_sums(logits: Tensor, local: Tensor, counted: int, temperature: float) -> Tensor:
    """f32[4,R]: highest z; sum of exp(z - highest); sum of exp(z - highest) z; z of the label, 0 where it is elsewhere."""
    if triton is None or not logits.is_cuda:
        return _row_sums(logits, local, counted, temperature)
    sums = torch.empty((4, logits.shape[0]), dtype=torch.float32, device=logits.device)
    _row_sums_kernel[(logits.shape[0],)](
        logits, local, sums, logits.shape[0], logits.stride(0), counted, 1 / temperature, BLOCK=_BLOCK, num_warps=8
    )
    return sums


def gradient(logits: Tensor, local: Tensor, given: Given, counted: int, temperature: float) -> Tensor:
    """The loss's gradient to the logits, in their type; on a GPU it takes the logits' place."""
    if triton is None or not logits.is_cuda:
        return _gradient(logits, local, given, counted, temperature)
    _gradient_kernel[(logits.shape[0],)](
        logits,
        local,
        *(column.contiguous() for column in given),
        logits.stride(0),
        logits.shape[1],
        counted,
        1 / temperature,
        BLOCK=_BLOCK,
        num_warps=8,
    )
    return logits


def _row_sums(logits: Tensor, local: Tensor, counted: int, temperature: float) -> Tensor:
    z = logits[:, :counted].float() / temperature
    if counted == 0:
        none = torch.zeros(len(local), device=logits.device)
        return torch.stack([none - torch.inf, none, none, none])
    highest = z.amax(-1)
    exponentials = (z - highest[:, None]).exp()
    picked = z.gather(1, local.clamp_min(0)[:, None]).squeeze(1).masked_fill(local < 0, 0)
    return torch.stack([highest, exponentials.sum(-1), (exponentials * z).sum(-1), picked])


def _gradient(logits: Tensor, local: Tensor, given: Given, counted: int, temperature: float) -> Tensor:
    logs = logits[:, :counted].float() / temperature - given.log_sums[:, None]
    # d(log p_y)/dz = [y] - p, d(entropy)/dz = -p (log p + entropy)
    factor = given.of_logprobs[:, None] + given.of_entropies[:, None] * (logs + given.entropies[:, None])
    counted_gradient = -logs.exp() * factor
    if counted:
        of_label = given.of_logprobs.masked_fill(local < 0, 0)
        counted_gradient.scatter_add_(1, local.clamp_min(0)[:, None], of_label[:, None])
    whole = torch.zeros_like(logits)
    whole[:, :counted] = counted_gradient / temperature
    return whole


if triton is not None:

    @triton.jit
    def _row_sums_kernel(logits, local, sums, rows, stride, counted, scale, BLOCK: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        label = tl.load(local + row)
        highest = -float("inf")
        exponentials = 0.0
        products = 0.0
        for start in range(0, counted, BLOCK):
            columns = start + tl.arange(0, BLOCK)
            inside = columns < counted
            z = tl.load(logits + row * stride + columns, mask=inside, other=-float("inf")).to(tl.float32) * scale
            above = tl.maximum(highest, tl.max(z, 0))
            shift = tl.exp(highest - above)
            e = tl.exp(z - above)
            exponentials = exponentials * shift + tl.sum(e, 0)
            products = products * shift + tl.sum(tl.where(inside, e * z, 0.0), 0)
            highest = above
        picked = tl.load(logits + row * stride + label, mask=label >= 0, other=0.0).to(tl.float32) * scale
        tl.store(sums + row, highest)
        tl.store(sums + rows + row, exponentials)
        tl.store(sums + 2 * rows + row, products)
        tl.store(sums + 3 * rows + row, picked)

    @triton.jit
    def _gradient_kernel(
        logits,
        local,
        log_sums,
        entropies,
        of_logprobs,
        of_entropies,
        stride,
        width,
        counted,
        scale,
        BLOCK: tl.constexpr,
    ):
        row = tl.program_id(0).to(tl.int64)
        label = tl.load(local + row)
        log_sum = tl.load(log_sums + row)
        entropy = tl.load(entropies + row)
        of_logprob = tl.load(of_logprobs + row)
        of_entropy = tl.load(of_entropies + row)
        for start in range(0, width, BLOCK):
            columns = start + tl.arange(0, BLOCK)
            inside = columns < width
            place = logits + row * stride + columns
            z = tl.load(place, mask=inside, other=0.0).to(tl.float32) * scale
            log = z - log_sum
            value = -tl.exp(log) * (of_logprob + of_entropy * (log + entropy))
            value += tl.where(columns == label, of_logprob, 0.0)
            value = tl.where(columns < counted, value * scale, 0.0)
            tl.store(place, value.to(logits.dtype.element_ty), mask=inside)
