"""The process group that carries weights to engines: this rank is 0 in it, the engines' ranks follow.

Built as SGLang 0.5.15 builds its side (init_custom_process_group of srt/utils/common.py), so that both meet, with two
differences: the store is made here, because under torchrun torch would look for torchrun's own at that address; and
NCCL's watchdog may not end this process when an engine dies.
"""

import contextlib
import datetime
import os
import threading
import time
from concurrent.futures import Future

import torch
import torch.distributed as dist
from torch.distributed import distributed_c10d as c10d

from sluice_megatron.engines import Engines
from sluice_megatron.errors import WorkerError
from sluice_megatron.wire import ConnectRequest

# By then all engines must have come.
CONNECT_SECONDS = 120.0
# For rank 0 to reach its own store.
_STORE_SECONDS = 20.0
# Longer than any send may take: a send ends itself.
_COLLECTIVE_TIMEOUT = datetime.timedelta(hours=2)
_ABORT_SECONDS = 10.0
_WATCHDOG = "TORCH_NCCL_ASYNC_ERROR_HANDLING"


class WeightGroup:
    """Belongs to rank 0; ``addresses`` are the engines in the order of their ranks. After a failed broadcast nothing but
    ``leave`` may follow.
    """

    def __init__(self, request: ConnectRequest, group: dist.ProcessGroup, device: torch.device):
        self.name = request.group_name
        self.addresses = request.addresses
        self._group = group
        self._device = device

    @staticmethod
    def form(request: ConnectRequest, device: torch.device) -> "WeightGroup":
        """Asks all engines to join while this rank does. Raises WorkerError as soon as one refuses or is gone, or in time."""
        store = _store(request)
        engines = Engines(request.addresses, time.monotonic() + CONNECT_SECONDS)
        joining = _on_a_thread(lambda: WeightGroup(request, _group(request, store, device), device))
        try:
            refusals = engines.await_all([*engines.post("/init_weights_update_group", _invitations(request)), joining])
        finally:
            engines.close()
        if refusals:
            # What comes about too late is nobody's.
            joining.add_done_callback(lambda late: late.exception() or late.result().leave(aborting=True))
            raise WorkerError(
                "internal",
                f"the group {request.group_name} of {len(request.engines)} engines ({', '.join(request.addresses)}) and "
                f"this worker did not form: {'; '.join(refusals)}",
                "end the engines that had agreed, since they are stuck in that group; connect again under another "
                "groupName; masterAddress must be an address of rank 0's machine that the engines reach",
            )
        return joining.result()

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


def _invitations(request: ConnectRequest) -> list[dict[str, object]]:
    """What each engine is asked, in order."""
    bodies = []
    first = 1
    for member in request.engines:
        bodies.append(
            {
                "master_address": request.master_address,
                "master_port": request.master_port,
                "rank_offset": first,
                "world_size": request.world_size,
                "group_name": request.group_name,
                "backend": request.backend,
            }
        )
        first += member.ranks
    return bodies


def _store(request: ConnectRequest) -> dist.TCPStore:
    """Where the members meet; waits for none of them."""
    where = f"{request.master_address}:{request.master_port}"
    try:
        store = dist.TCPStore(
            request.master_address,
            request.master_port,
            request.world_size,
            is_master=True,
            timeout=datetime.timedelta(seconds=_STORE_SECONDS),
            wait_for_workers=False,
        )
    except (dist.DistError, RuntimeError, OSError) as e:
        if "EADDRINUSE" in str(e) or "in use" in str(e):
            raise WorkerError("internal", f"{where} is taken on this machine", "send another masterPort") from e
        raise WorkerError(
            "internal",
            f"rank 0 cannot meet anybody at {where}: {str(e)[:300]}",
            "send an address of rank 0's machine as masterAddress",
        ) from e
    store.set_timeout(datetime.timedelta(seconds=CONNECT_SECONDS))
    return store


def _group(request: ConnectRequest, store: dist.TCPStore, device: torch.device) -> dist.ProcessGroup:
    """Waits for all engines with gloo, for none with NCCL, whose communicator forms with the first broadcast."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Gloo has one bound for meeting and for sending.
    timeout = datetime.timedelta(seconds=CONNECT_SECONDS) if request.backend == "gloo" else _COLLECTIVE_TIMEOUT
    with _watchdog_off():
        group, _ = c10d._new_process_group_helper(
            request.world_size,
            0,
            [],
            dist.Backend(request.backend),
            dist.PrefixStore(request.group_name, store),
            group_name=request.group_name,
            timeout=timeout,
        )
    c10d._world.pg_group_ranks[group] = {rank: rank for rank in range(request.world_size)}
    return group


def _on_a_thread(act) -> Future:
    """Of its own, which nobody waits for when the process ends: gloo cannot be interrupted."""
    future: Future = Future()

    def run():
        try:
            future.set_result(act())
        except BaseException as e:
            future.set_exception(RuntimeError(f"this worker could not join: {str(e)[:300]}"))

    threading.Thread(target=run, name="join-weight-group", daemon=True).start()
    return future
