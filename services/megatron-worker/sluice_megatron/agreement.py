"""One outcome for all ranks: what fails on one is told to all, so that a call fails alike and the worker goes on."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist

from sluice_megatron.errors import WorkerError, error_of


def lead(act: Callable[[], Any]):
    """Has rank 0 do something while the others wait for it; its failure is every rank's."""
    told = [_told(act) if dist.get_rank() == 0 else None]
    dist.broadcast_object_list(told, src=0, device=torch.device("cpu"))
    if told[0] is not None:
        raise WorkerError.from_json(told[0])


def together(act: Callable[[], Any]):
    """Has every rank do its part; the failure of the first rank that failed is every rank's."""
    own = _told(act)
    if own is not None and own["rank"] is None:
        own["rank"] = dist.get_rank()
    everyone: list[dict[str, Any] | None] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, own)
    for told in everyone:
        if told is not None:
            raise WorkerError.from_json(told)


def _told(act: Callable[[], Any]) -> dict[str, Any] | None:
    try:
        act()
    except Exception as thrown:
        return error_of(thrown).to_json()
    return None
