"""Frees the GPU for an engine that shares it, and takes it back.

Storages are emptied in place, so that every view into them stays what it was: a parameter's place in its buffer, an
optimizer's shard of a parameter. Megatron's own ``optimizer.offload_to_cpu`` gives tensors new storages instead, which
parts an fp32 parameter from the shard that the optimizer updates. Gradients are not kept: their buffers are Megatron's
``offload_grad_buffers``, and are zero when they come back.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from sluice_megatron import agreement, memory
from sluice_megatron.errors import WorkerError
from sluice_megatron.model import Built
from sluice_megatron.ranks import phase

# Pinned memory comes in powers of two: one piece for a whole storage could take twice its size.
_PIECE_BYTES = 256 << 20


class Offloading:
    """What of a model and its optimizer is off the GPU. Host copies stay, since the next offload needs them again."""

    def __init__(self, built: Built, device: torch.device):
        self._built = built
        self._device = device
        self._away: set[str] = set()
        self._hosts: dict[str, dict[int, _Host]] = {"weights": {}, "optimizer": {}}

    def need(self, *what: str):
        """Refuses a call that cannot be done without these."""
        missing = sorted(self._away.intersection(what))
        if missing:
            raise WorkerError(
                "not_loaded", f"{' and '.join(missing)} are offloaded", f"call /onload with {', '.join(missing)} first"
            )

    def offload(self, what: Iterable[str]) -> dict[str, Any]:
        return self._measured("offloading", sorted(set(what) - self._away), self._take)

    def onload(self, what: Iterable[str]) -> dict[str, Any]:
        # Weights first: an optimizer's shard may lie in them.
        wanted = sorted(self._away.intersection(what), reverse=True)
        if self._device.type == "cuda":
            phase("waiting for free memory")
            torch.cuda.empty_cache()
            needed = sum(map(self._missing, wanted))
            agreement.together(lambda: memory.await_room(needed, memory.ROOM_SECONDS))
        return self._measured("onloading", wanted, self._bring)

    def _measured(self, doing: str, what: list[str], move: Callable[[str], int]) -> dict[str, Any]:
        """MemoryMoved of common/worker-api."""
        began = time.monotonic()
        before = memory.used()
        moved = 0

        def work():
            nonlocal moved
            for one in what:
                phase(f"{doing} {one}")
                with memory.others_are_named(f"{doing} {one}"):
                    moved += move(one)

        agreement.together(work)
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        most = torch.tensor([before, memory.used()], dtype=torch.int64)
        total = torch.tensor([moved], dtype=torch.int64)
        dist.all_reduce(most, dist.ReduceOp.MAX)
        dist.all_reduce(total)
        return {
            "bytes": int(total),
            "usedBefore": int(most[0]),
            "usedAfter": int(most[1]),
            "seconds": time.monotonic() - began,
        }

    def _take(self, one: str) -> int:
        """Returns the bytes that this freed on the device."""
        if one == "gradients":
            freed = sum(size for size, is_here in self._gradients() if is_here)
            self._built.chunk.offload_grad_buffers(empty_cache=False)
        else:
            kept = self._hosts[one]
            storages = {
                storage._cdata: storage
                for storage in map(Tensor.untyped_storage, self._tensors(one))
                # On the CPU, what numpy has seen stays where it is.
                if storage.resizable() and (storage.nbytes() or storage._cdata in kept)
            }
            # Those of tensors that are gone are dropped.
            self._hosts[one] = {key: kept.get(key) or _Host(storage, self._device) for key, storage in storages.items()}
            freed = sum(host.take() for host in self._hosts[one].values())
        self._away.add(one)
        return freed

    def _bring(self, one: str) -> int:
        """Returns the bytes that this took on the device."""
        taken = self._missing(one)
        if one == "gradients":
            self._built.chunk.restore_grad_buffers()
        else:
            for host in self._hosts[one].values():
                host.bring()
        self._away.discard(one)
        return taken

    def _missing(self, one: str) -> int:
        """Bytes that bringing it back takes."""
        if one == "gradients":
            return sum(size for size, is_here in self._gradients() if not is_here)
        return sum(host.bytes for host in self._hosts[one].values() if host.is_away())

    def _gradients(self) -> Iterator[tuple[int, bool]]:
        """Bytes of each buffer, and whether it is on the device."""
        chunk = self._built.chunk
        for buffer in (*chunk.buffers, *chunk.expert_parallel_buffers):
            gradients = buffer.grad_data
            if gradients is not None:
                yield gradients.numel() * gradients.element_size(), gradients.untyped_storage().nbytes() > 0

    def _tensors(self, one: str) -> Iterator[Tensor]:
        """Tensors on the device; several may lie in one storage."""
        model = self._built.policy
        weights = [*(parameter.data for parameter in model.parameters()), *model.buffers()]
        if one == "weights":
            yield from self._here(weights)
            return
        shared = {tensor.untyped_storage()._cdata for tensor in weights}
        for tensor in self._here(_of_optimizer(self._built.optimizer)):
            if tensor.untyped_storage()._cdata not in shared:
                yield tensor

    def _here(self, tensors: Iterable[Tensor]) -> Iterator[Tensor]:
        return (tensor for tensor in tensors if tensor.device.type == self._device.type)


class _Host:
    """A storage's copy on the host."""

    def __init__(self, storage: torch.UntypedStorage, device: torch.device):
        self._storage = storage
        self.bytes = storage.nbytes()
        self._pieces: list[Tensor] = []
        self._device = device

    def is_away(self) -> bool:
        return self._storage.nbytes() < self.bytes

    def take(self) -> int:
        """Returns the bytes that it had on the device."""
        if self.is_away():
            return 0
        if not self._pieces:
            self._pieces = [
                self._piece(min(_PIECE_BYTES, self.bytes - begin)) for begin in range(0, self.bytes, _PIECE_BYTES)
            ]
        for piece, there in self._pairs():
            piece.copy_(there, non_blocking=True)
        torch.cuda.synchronize()
        self._storage.resize_(0)
        return self.bytes

    def bring(self):
        if not self.is_away():
            return  # by an earlier try that ran out of memory
        self._storage.resize_(self.bytes)
        for piece, there in self._pairs():
            there.copy_(piece, non_blocking=True)

    def _piece(self, size: int) -> Tensor:
        try:
            return torch.empty(size, dtype=torch.uint8, device="cpu", pin_memory=self._device.type == "cuda")
        except RuntimeError as e:
            raise WorkerError(
                "internal",
                f"the host gave no {size >> 20} MiB more that the GPU can copy to: {str(e).splitlines()[0][:300]}",
                "give the machine more memory, and the process no bound on locked memory (ulimit -l)",
            ) from e

    def _pairs(self) -> Iterator[tuple[Tensor, Tensor]]:
        whole = torch.empty(0, dtype=torch.uint8, device=self._storage.device).set_(self._storage)
        return zip(self._pieces, whole.split(_PIECE_BYTES), strict=True)


def _of_optimizer(optimizer) -> Iterator[Tensor]:
    """Main parameters and state of Megatron's optimizer, or of the several that it chains."""
    for one in getattr(optimizer, "chained_optimizers", [optimizer]):
        inner = getattr(one, "optimizer", None)
        if inner is None or getattr(one, "is_stub_optimizer", False):
            continue
        for group in inner.param_groups:
            yield from (parameter.data for parameter in group["params"])
        for state in inner.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))
