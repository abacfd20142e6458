"""The policy's weights in buckets for engines: each Hugging Face tensor whole, made of what all ranks hold."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
import torch.distributed as dist
from torch import Tensor

from sluice_megatron.errors import WorkerError
from sluice_megatron.model import PolicyModel
from sluice_megatron.shards import Shards
from sluice_megatron.tensors import Box, Entry, TensorTable

# SGLang's loaders of MLA models fuse these two, and drop one that comes without the other in a call.
_FUSED = ("kv_a_proj_with_mqa", "q_a_proj")
_EXPERTS = ".experts."


@dataclass(frozen=True)
class Bucket:
    """Tensors of one dtype that travel as one: their elements one after another in the order of ``entries``."""

    entries: tuple[Entry, ...]
    dtype: torch.dtype

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.entries]

    @property
    def shapes(self) -> list[list[int]]:
        return [list(entry.shape) for entry in self.entries]

    @property
    def bytes(self) -> int:
        return sum(_bytes(entry, self.dtype) for entry in self.entries)

    def views(self, flat: Tensor) -> list[Tensor]:
        """Each tensor's place in ``flat``, u8[bytes]."""
        sizes = [_bytes(entry, self.dtype) for entry in self.entries]
        return [
            part.view(self.dtype).view(entry.shape)
            for part, entry in zip(torch.split(flat, sizes), self.entries, strict=True)
        ]


def plan(entries: Iterable[Entry], most_bytes: int) -> list[Bucket]:
    """Buckets of at most ``most_bytes``, except where one tensor, or two that SGLang fuses, need more.

    bfloat16 but for entries marked float32, which come first; experts come last.
    """
    units: dict[str, list[Entry]] = {}
    for entry in entries:
        units.setdefault(entry.name.replace(*_FUSED), []).append(entry)
    # Stable: otherwise in the order of the table.
    in_order = sorted(units.values(), key=lambda unit: (_EXPERTS in unit[0].name, not unit[0].float32))
    buckets: list[Bucket] = []
    gathered: list[Entry] = []
    size = 0
    for unit in in_order:
        dtype = torch.float32 if unit[0].float32 else torch.bfloat16
        unit_bytes = sum(_bytes(entry, dtype) for entry in unit)
        if gathered and (size + unit_bytes > most_bytes or gathered[0].float32 != unit[0].float32):
            buckets.append(_bucket(gathered))
            gathered, size = [], 0
        gathered += unit
        size += unit_bytes
    return [*buckets, _bucket(gathered)] if gathered else buckets


class Weights:
    """Every rank makes one and gathers the same buckets in the same order."""

    def __init__(self, model: PolicyModel, table: TensorTable, bucket_bytes: int, device: torch.device):
        self._shards = Shards(model)
        self._device = device
        present = self._shards.keys_over_ranks()
        self.buckets = plan(filter(None, (_held(entry, present) for entry in table.entries)), bucket_bytes)

    @torch.no_grad()
    def gather(self, bucket: Bucket, on_all: bool) -> Tensor:
        """The bucket as u8[bytes], on rank 0 or on all ranks; elsewhere its content is undefined."""
        flat = torch.zeros(bucket.bytes, dtype=torch.uint8, device=self._device)
        for entry, values in zip(bucket.entries, bucket.views(flat), strict=True):
            for piece in self._shards.pieces(entry):
                at = tuple(slice(a, a + size) for a, size in zip(piece.offsets, piece.values.shape, strict=True))
                values[at].copy_(piece.values)
        # A sum of bytes is exact, of which all but one rank's are zero; a sum of floats would lose the sign of -0.
        if dist.get_world_size() > 1 and on_all:
            dist.all_reduce(flat)
        elif dist.get_world_size() > 1:
            dist.reduce(flat, 0)
        return flat


def _held(entry: Entry, present: set[str]) -> Entry | None:
    """The entry with one box for each of its parts; None where the model lacks the tensor.

    A part may have two names in Megatron, and a model may hold it under both.
    """
    boxes: dict[tuple, Box] = {}
    for box in entry.boxes:
        if box.key in present:
            boxes.setdefault((box.offsets, box.sizes), box)
    if not boxes:
        return None
    covered = sum(math.prod(box.sizes) for box in boxes.values())
    if covered != math.prod(entry.shape):
        raise WorkerError(
            "not_loaded",
            f"the model holds {covered} of {math.prod(entry.shape)} elements of {entry.name}",
            "send a table of tensors that fits the model with /load",
        )
    return replace(entry, boxes=tuple(boxes.values()))


def _bucket(entries: list[Entry]) -> Bucket:
    return Bucket(tuple(entries), torch.float32 if entries[0].float32 else torch.bfloat16)


def _bytes(entry: Entry, dtype: torch.dtype) -> int:
    return math.prod(entry.shape) * dtype.itemsize
