"""Weights that are not trained: reference and teacher. They rest on the host and change places with the policy's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from sluice_megatron.errors import WorkerError
from sluice_megatron.model import Built


class FrozenModels:
    """Host copies of this rank's parameters and buffers by role; a pass with them computes in the policy's own place."""

    def __init__(self, built: Built):
        self._built = built
        self._kept: dict[str, dict[str, Tensor]] = {}
        self.renewed = False

    def keep(self, role: str):
        """Takes what the model holds now; a role that is kept already was renewed."""
        self.renewed |= role in self._kept
        self._kept[role] = self._copy()

    def need(self, role: str) -> dict[str, Tensor]:
        if role not in self._kept:
            raise WorkerError("not_loaded", f"no {role} is loaded", "name it in /load")
        return self._kept[role]

    @contextmanager
    def weights_of(self, role: str) -> Iterator[None]:
        """The model holds the role's weights until the end of the block."""
        if role == "policy":
            yield
            return
        weights = self.need(role)
        own = self._copy()
        self._put(weights)
        try:
            yield
        finally:
            self._put(own)

    def _copy(self) -> dict[str, Tensor]:
        pinned = torch.cuda.is_available()
        copies = {}
        for name, tensor in self._tensors():
            copies[name] = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=pinned)
            copies[name].copy_(tensor, non_blocking=True)
        torch.cuda.synchronize()
        return copies

    def _put(self, weights: dict[str, Tensor]):
        for name, tensor in self._tensors():
            tensor.copy_(weights[name], non_blocking=True)
        torch.cuda.synchronize()

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        model = self._built.policy
        for name, parameter in model.named_parameters():
            yield name, parameter.data
        for name, buffer in model.named_buffers():
            yield name, buffer
