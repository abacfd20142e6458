"""This rank's part of Megatron's tensors, and which boxes of Hugging Face tensors lie in it."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from megatron.core import parallel_state as mpu
from megatron.core.dist_checkpointing.dict_utils import nested_values
from megatron.core.dist_checkpointing.mapping import ShardedTensor, apply_factories, is_main_replica
from torch import Tensor

from sluice_megatron.model import PolicyModel
from sluice_megatron.tensors import Box, Entry


@dataclass(frozen=True)
class Piece:
    """Elements of a Hugging Face tensor that this rank holds: ``values`` belong at ``offsets``."""

    values: Tensor
    offsets: tuple[int, ...]


class Shards:
    """The tensors of a model that this rank speaks for; others hold the same copies and are silent."""

    def __init__(self, model: PolicyModel, every_replica: bool = False):
        state = model.sharded_state_dict(
            metadata={
                "singleton_local_shards": False,
                "dp_cp_group": mpu.get_data_parallel_group(with_context_parallel=True),
            }
        )
        apply_factories(state)
        self._by_key: dict[str, list[ShardedTensor]] = {}
        for shard in nested_values(state):
            if isinstance(shard, ShardedTensor) and (every_replica or is_main_replica(shard.replica_id)):
                self._by_key.setdefault(shard.key, []).append(shard)

    def pieces(self, entry: Entry) -> Iterator[Piece]:
        """What this rank holds of a Hugging Face tensor; over all ranks each element once."""
        for box in entry.boxes:
            for shard in self._by_key.get(box.key, ()):
                piece = _common(box, shard)
                if piece is not None:
                    yield piece

    def keys_over_ranks(self) -> set[str]:
        """Of the whole model; every rank asks."""
        everyone: list[set[str]] = [set()] * dist.get_world_size()
        dist.all_gather_object(everyone, set(self._by_key))
        return set().union(*everyone)


def _common(box: Box, shard: ShardedTensor) -> Piece | None:
    """The elements that a box and a shard share; both lie in the same Megatron tensor."""
    leading = len(box.key_sizes) - len(box.sizes)
    values = shard.data.reshape((1,) * shard.prepend_axis_num + tuple(shard.data.shape))
    within, at = [], []
    for axis, (begin, size) in enumerate(zip(box.key_offsets, box.key_sizes, strict=True)):
        first = shard.global_offset[axis]
        low = max(begin, first)
        high = min(begin + size, first + values.shape[axis])
        if low >= high:
            return None
        within.append(slice(low - first, high - first))
        if axis >= leading:
            at.append(low - begin + box.offsets[axis - leading])
    piece = values[tuple(within)]
    return Piece(piece.reshape(piece.shape[leading:]), tuple(at))


def as_bytes(values: Tensor) -> "torch.Tensor":
    """Contiguous values as u8[bytes] on the host."""
    return values.detach().contiguous().cpu().reshape(-1).view(torch.uint8)
