"""The process group that carries weights to engines: this rank is 0 in it, the engines' ranks follow.

Built as SGLang 0.5.15 builds its side (init_custom_process_group of srt/utils/common.py), so that both meet, with two
differences: the store is made here, because under torchrun torch would look for torchrun's own at that address; and
NCCL's watchdog may not end this process when an engine dies.
"""

import contextlib
import datetime
import os
import threading

import torch
import torch.distributed as dist
from torch.distributed import distributed_c10d as c10d

from sluice_megatron.errors import WorkerError
from sluice_megatron.wire import ConnectRequest

# By then all engines must have come.
CONNECT_SECONDS = 120.0
# Longer than any send may take: a send ends itself.
_COLLECTIVE_TIMEOUT = datetime.timedelta(hours=2)
_ABORT_SECONDS = 10.0
_WATCHDOG = "TORCH_NCCL_ASYNC_ERROR_HANDLING"


class WeightGroup:
    """Belongs to rank 0. After a failed broadcast nothing but ``leave`` may follow."""

    def __init__(self, name: str, group: dist.ProcessGroup, device: torch.device):
        self.name = name
        self._group = group
        self._device = device

    @staticmethod
    def join(request: ConnectRequest, device: torch.device) -> "WeightGroup":
        """Waits for all engines. Raises WorkerError where they do not come in time."""
        try:
            store = dist.TCPStore(
                request.master_address,
                request.master_port,
                request.world_size,
                is_master=True,
                timeout=datetime.timedelta(seconds=CONNECT_SECONDS),
                multi_tenant=True,
            )
        except (dist.DistError, RuntimeError, OSError) as e:
            raise _not_met(request, str(e)) from e
        with _watchdog_off():
            group, _ = c10d._new_process_group_helper(
                request.world_size,
                request.rank_offset,
                [],
                dist.Backend(request.backend),
                dist.PrefixStore(request.group_name, store),
                group_name=request.group_name,
                timeout=_COLLECTIVE_TIMEOUT,
            )
        c10d._world.pg_group_ranks[group] = {rank: rank for rank in range(request.world_size)}
        return WeightGroup(request.group_name, group, device)

    def broadcast(self, flat: torch.Tensor):
        """Returns when the engines' broadcasts of it are under way; may wait for them for ever."""
        if self._device.type == "cuda":
            torch.cuda.set_device(self._device)
        dist.broadcast(flat, src=0, group=self._group)

    def leave(self, aborting: bool):
        """``aborting``: others may be stuck in a collective, which no orderly end would survive."""
        end = c10d._abort_process_group if aborting else dist.destroy_process_group

        def leave():
            with contextlib.suppress(Exception):
                end(self._group)

        # NCCL may wait in it for a communicator that never forms.
        leaving = threading.Thread(target=leave, name="leave-weight-group", daemon=True)
        leaving.start()
        leaving.join(_ABORT_SECONDS)


@contextlib.contextmanager
def _watchdog_off():
    """Read where the group is made, and there alone."""
    before = os.environ.get(_WATCHDOG)
    os.environ[_WATCHDOG] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_WATCHDOG]
        else:
            os.environ[_WATCHDOG] = before


def _not_met(request: ConnectRequest, told: str) -> WorkerError:
    where = f"{request.master_address}:{request.master_port}"
    if "EADDRINUSE" in told or "in use" in told:
        return WorkerError("invalid_request", f"{where} is taken on this machine", "send another masterPort")
    return WorkerError(
        "internal",
        f"{request.world_size - 1} ranks of engines did not all come to {where} within {CONNECT_SECONDS:g} s: "
        f"{told[:300]}",
        "call /init_weights_update_group of every engine at the same time, with ranks that fill worldSize; "
        "masterAddress must be one of rank 0's machine",
    )
