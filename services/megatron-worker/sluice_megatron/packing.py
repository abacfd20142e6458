"""A micro-batch as one packed row of P positions.

Every column stands at the predicting position: entry p describes token p + 1 of the same sample, which the model's output
at p is about. A sample's last position and padding predict nothing: their mask and weight are 0.

Under context parallelism each sequence is cut in 2 * cp chunks, of which rank r owns chunks r and 2 * cp - 1 - r, so that
causal attention gives all ranks the same work (slime's slice_with_cp, TransformerEngine's thd_get_partitioned_indices).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from sluice_megatron.batch import Batch


@dataclass(frozen=True)
class Layout:
    """How a row is filled up.

    ``multiple`` divides the positions of each context-parallel rank (sequence parallelism needs the tensor-parallel size;
    slime takes 128 times it so that few sizes of buffers occur).
    """

    multiple: int = 1
    context_ranks: int = 1

    def __post_init__(self) -> None:
        if self.multiple < 1 or self.context_ranks < 1:
            raise ValueError(f"a multiple of {self.multiple} over {self.context_ranks} context-parallel ranks")

    @property
    def chunk(self) -> int:
        """Positions that a sequence's length is a multiple of."""
        return 1 if self.context_ranks == 1 else 2 * self.context_ranks

    @property
    def row(self) -> int:
        """Positions that the length of the row over all context-parallel ranks is a multiple of."""
        return math.lcm(self.multiple * self.context_ranks, self.chunk)


@dataclass(frozen=True)
class PackedRow:
    """S sequences, those that pad the row included, at P positions; of one context-parallel rank its P.

    ``cu_seqlens`` are the padded sequences' bounds over all context-parallel ranks, as packed attention wants them.
    """

    tokens: Tensor  # i64[P], 0 in padding
    positions: Tensor  # i64[P], within the sequence
    labels: Tensor  # i64[P], the next token; 0 where there is none
    target: Tensor  # i64[P], the next token's entry in the batch's columns; -1 where there is none
    sequence: Tensor  # i64[P], from 0
    loss_mask: Tensor  # f32[P], 1 where the next token has a gradient
    weights: Tensor  # f32[P], the mask divided as the normaliser says
    advantages: Tensor  # f32[P]
    rollout: Tensor  # f32[P], the engine's log-probabilities
    old: Tensor | None  # f32[P], the batch's old_logprobs
    reference: Tensor | None  # f32[P], ref_logprobs
    values: Tensor | None  # f32[P]
    returns: Tensor | None  # f32[P]
    mtp_labels: Tensor  # i64[P], the token after the next; 0 where there is none
    mtp_weights: Tensor  # f32[P], the weight of that token; 0 where there is none
    cu_seqlens: Tensor  # i32[S+1]
    longest: int  # positions of the longest sequence over all context-parallel ranks
    layout: Layout

    @property
    def sequences(self) -> int:
        return len(self.cu_seqlens) - 1

    def to(self, device: torch.device | str) -> "PackedRow":
        """On a GPU by way of pinned memory: from any other the copy may wait for all that the GPU has still to do."""
        pinned = torch.device(device).type == "cuda"

        def moved(column: Tensor) -> Tensor:
            return (column.pin_memory() if pinned else column).to(device, non_blocking=True)

        return self._with_columns(moved, (*_COLUMNS, "cu_seqlens"))

    def of_context_rank(self, rank: int) -> "PackedRow":
        """The positions that one context-parallel rank owns, sequence by sequence."""
        if self.layout.context_ranks == 1:
            return self
        owned = zigzag(self.cu_seqlens.tolist(), self.layout.context_ranks, rank).to(self.tokens.device)
        return self._with_columns(lambda column: column.index_select(0, owned), _COLUMNS)

    def unpack(self, values: Tensor, column: Tensor) -> None:
        """Puts values [P] at the entries [T] of the tokens that they are about; all other entries stay as they are.

        Picking positions by a mask would wait for the GPU. Instead those without a token write to entry 0, which none
        predicts, what it holds.
        """
        target = self.target.to(column.device)
        column[target.clamp_min(0)] = torch.where(target >= 0, values.detach().to(column), column[0])

    def _with_columns(self, change, names: Sequence[str]) -> "PackedRow":
        changed = {name: getattr(self, name) for name in names}
        return replace(self, **{name: change(column) for name, column in changed.items() if column is not None})


_COLUMNS = tuple(field.name for field in fields(PackedRow) if field.name not in ("cu_seqlens", "longest", "layout"))


def pack(batch: Batch, samples: Sequence[int], divisor: float, layout: Layout) -> PackedRow:
    """Packs samples over all context-parallel ranks; ``divisor`` is the optimizer step's, 1 where nothing is trained."""
    starts = batch.cu_seqlens.tolist()
    lengths = [starts[sample + 1] - starts[sample] for sample in samples]
    padded = _padded_lengths(lengths, layout)
    bounds = [0, *torch.tensor(padded, dtype=torch.int64).cumsum(0).tolist()]
    positions = torch.cat([torch.arange(length) for length in padded])
    source = torch.full((bounds[-1],), -1)
    target = torch.full((bounds[-1],), -1)
    for begin, sample, length in zip(bounds, samples, lengths, strict=False):
        entries = torch.arange(starts[sample], starts[sample + 1])
        source[begin : begin + length] = entries
        target[begin : begin + length - 1] = entries[1:]
    sequence = torch.from_numpy(np.repeat(np.arange(len(padded)), padded))
    mask = _at(batch.loss_mask, target).to(torch.float32)
    labels = _at(batch.tokens, target).to(torch.int64)
    weights = _weights(batch, samples, mask, sequence, divisor)
    return PackedRow(
        tokens=_at(batch.tokens, source).to(torch.int64),
        positions=positions,
        labels=labels,
        target=target,
        sequence=sequence,
        loss_mask=mask,
        weights=weights,
        advantages=_at(batch.advantages, target),
        rollout=_at(batch.rollout_logprobs, target),
        old=_optional(batch, "old_logprobs", target),
        reference=_optional(batch, "ref_logprobs", target),
        values=_optional(batch, "values", target),
        returns=_optional(batch, "returns", target),
        mtp_labels=_one_further(labels, sequence),
        mtp_weights=_one_further(weights, sequence),
        cu_seqlens=torch.tensor(bounds, dtype=torch.int32),
        longest=max(padded),
        layout=layout,
    )


def zigzag(bounds: Sequence[int], ranks: int, rank: int) -> Tensor:
    """Positions i64 that a context-parallel rank owns of sequences with these bounds, each a multiple of 2 * ranks long."""
    owned = []
    for begin, end in zip(bounds, bounds[1:], strict=False):
        chunk = (end - begin) // (2 * ranks)
        for number in (rank, 2 * ranks - 1 - rank):
            owned.append(torch.arange(begin + number * chunk, begin + (number + 1) * chunk))
    return torch.cat(owned)


def _padded_lengths(lengths: Sequence[int], layout: Layout) -> list[int]:
    padded = [_up(length, layout.chunk) for length in lengths]
    missing = _up(sum(padded), layout.row) - sum(padded)
    return [*padded, missing] if missing else padded


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


def _at(column: Tensor, entries: Tensor) -> Tensor:
    """A column [T] at entries [P]; 0 where an entry is -1.

    By ``index_select``: indexing, like ``repeat_interleave``, wakes all of torch's threads for a few thousand numbers, which
    takes longer than the copy.
    """
    return column.index_select(0, entries.clamp_min(0)).masked_fill(entries < 0, 0)


def _one_further(column: Tensor, sequence: Tensor) -> Tensor:
    """What the position after this one predicts [P]; 0 where that is another sequence's."""
    further = torch.zeros_like(column)
    further[:-1] = column[1:].masked_fill(sequence[1:] != sequence[:-1], 0)
    return further


def _optional(batch: Batch, name: str, entries: Tensor) -> Tensor | None:
    return _at(batch.optional[name], entries) if name in batch.optional else None


def _weights(batch: Batch, samples: Sequence[int], mask: Tensor, sequence: Tensor, divisor: float) -> Tensor:
    if batch.header.loss_normaliser.kind != "sample":
        return (mask.double() / divisor).float()
    denominators = torch.ones(int(sequence[-1]) + 1, dtype=torch.float64)
    denominators[: len(samples)] = batch.loss_denominator.index_select(0, torch.tensor(samples)).double()
    return (mask.double() / (denominators.index_select(0, sequence) * divisor)).float()
