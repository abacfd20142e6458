"""Weights into running SGLang engines, bucket after bucket: over a process group, or as handles of shared GPUs.

Pausing the engines before and letting them go on afterwards is the caller's: engines that are not paused answer
requests between buckets, with weights of two versions.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from sluice_megatron import agreement
from sluice_megatron.buckets import Bucket, Weights
from sluice_megatron.engines import Engines
from sluice_megatron.errors import WorkerError
from sluice_megatron.handles import payload
from sluice_megatron.ranks import phase
from sluice_megatron.weight_group import WeightGroup
from sluice_megatron.wire import ConnectRequest, SendRequest

_UNDEFINED = (
    "their weights are undefined: load a whole version into each from a directory, or start it again, and give it no "
    "requests before; then connect under another groupName and send again"
)

# For engines to leave a group. One that is stuck in it is not waited for any longer.
_LEAVE_SECONDS = 15.0


class Sync:
    """One rank's part. Rank 0 speaks to the engines; the others learn from it how each bucket went."""

    def __init__(self, device: torch.device):
        self._device = device
        self._group: WeightGroup | None = None
        # Name and engines of the last group: they may be in it when this rank has left.
        self._met: tuple[str, tuple[str, ...]] | None = None
        # Of the last send as handles.
        self._addresses: tuple[str, ...] = ()
        self._broadcasts = ThreadPoolExecutor(1, "broadcast")

    def connect(self, request: ConnectRequest) -> dict[str, Any]:
        began = time.monotonic()
        phase(f"waiting for {request.world_size - 1} ranks of engines")
        agreement.lead(lambda: self._join(request))
        return {"groupName": request.group_name, "seconds": time.monotonic() - began}

    def send(self, weights: Weights, request: SendRequest) -> dict[str, Any]:
        began = time.monotonic()
        sending = _Sending(request, began + request.timeout_seconds)
        try:
            agreement.lead(lambda: self._begin(sending))
            for number, bucket in enumerate(weights.buckets):
                sending.number, sending.of = number, len(weights.buckets)
                phase(f"bucket {number + 1} of {len(weights.buckets)}, putting together")
                flat = weights.gather(bucket, on_all=request.transport == "tensor")
                phase(f"bucket {number + 1} of {len(weights.buckets)}, sending")
                self._send(sending, bucket, flat)
                del flat
                if self._device.type == "cuda":
                    # Handles that engines have let go of.
                    torch.cuda.ipc_collect()
        finally:
            sending.close()
        return {
            "tensors": sum(len(bucket.entries) for bucket in weights.buckets),
            "bytes": sum(bucket.bytes for bucket in weights.buckets),
            "seconds": time.monotonic() - began,
        }

    def _join(self, request: ConnectRequest):
        if request.backend == "nccl" and self._device.type != "cuda":
            raise WorkerError("unsupported", "this worker has no GPU for nccl", "send the backend gloo")
        self._leave()
        self._met = (request.group_name, request.addresses)
        self._group = WeightGroup.form(request, self._device)

    def _leave(self):
        """Leaves the group of before, with its engines: those that are gone or know nothing of it do not matter."""
        if self._met is None:
            return
        name, addresses = self._met
        engines = Engines(addresses, time.monotonic() + _LEAVE_SECONDS)
        calls = engines.post("/destroy_weights_update_group", [{"group_name": name}] * len(addresses))
        if self._group is not None:
            self._group.leave(aborting=False)
            self._group = None
        wait(calls, _LEAVE_SECONDS)
        engines.close()
        self._met = None

    def _begin(self, sending: "_Sending"):
        addresses = self._handled(sending) if sending.request.transport == "tensor" else self._grouped(sending)
        sending.engines = Engines(addresses, sending.deadline)
        if sending.request.transport == "tensor":
            sending.places = _places(sending.engines)
            self._addresses = addresses

    def _handled(self, sending: "_Sending") -> tuple[str, ...]:
        addresses = sending.request.engines or self._addresses
        if not addresses:
            raise WorkerError("invalid_request", "engines is missing, and nothing was sent yet", "name the engines")
        return addresses

    def _grouped(self, sending: "_Sending") -> tuple[str, ...]:
        request = sending.request
        if self._group is None or self._group.name != request.group_name:
            now = "no group" if self._group is None else f"the group {self._group.name}"
            raise WorkerError(
                "invalid_request", f"the worker is in {now}, not in {request.group_name}", "call /weights/connect first"
            )
        members = self._group.addresses
        # A member that is not told of a bucket never takes it, and the others wait for it.
        if request.engines is not None and set(request.engines) != set(members):
            raise WorkerError(
                "invalid_request",
                f"engines are {', '.join(request.engines)}, those of the group {', '.join(members)}",
                "name all engines of the group, or none; connect again where they have changed",
            )
        return members

    def _send(self, sending: "_Sending", bucket: Bucket, flat: Tensor):
        if sending.request.transport == "nccl":
            agreement.lead(lambda: self._over_group(sending, bucket, flat))
            return
        everyone = [""] * dist.get_world_size()
        dist.all_gather_object(everyone, payload(bucket, flat))
        # Until the engines have answered, every rank keeps its own flat.
        agreement.lead(lambda: self._as_handles(sending, everyone))

    def _over_group(self, sending: "_Sending", bucket: Bucket, flat: Tensor):
        assert self._group is not None
        body = {
            "names": bucket.names,
            "dtypes": [str(bucket.dtype).removeprefix("torch.")] * len(bucket.entries),
            "shapes": bucket.shapes,
            "group_name": self._group.name,
        }
        calls = sending.post("/update_weights_from_distributed", [body] * len(self._group.addresses))
        # On a thread of its own: an engine that refuses never joins it.
        calls.append(self._broadcasts.submit(self._group.broadcast, flat))
        try:
            sending.await_all(calls)
        except WorkerError:
            self._group.leave(aborting=True)
            self._group = None
            # Its one thread may be stuck for good.
            self._broadcasts = ThreadPoolExecutor(1, "broadcast")
            raise

    def _as_handles(self, sending: "_Sending", everyone: list[str]):
        bodies = [{"serialized_named_tensors": everyone[first:end]} for first, end in sending.places]
        sending.await_all(sending.post("/update_weights_from_tensor", bodies))


class _Sending:
    """One send on its way; all but the request is rank 0's."""

    def __init__(self, request: SendRequest, deadline: float):
        self.request = request
        self.deadline = deadline
        self.engines: Engines | None = None
        self.places: list[tuple[int, int]] = []
        self.number = self.of = 0

    def post(self, path: str, bodies: list[dict[str, Any]]) -> list[Future]:
        assert self.engines is not None
        is_last = self.number == self.of - 1
        common: dict[str, Any] = {
            "load_format": "flattened_bucket",
            "flush_cache": self.request.flush_cache and is_last,
        }
        # An engine that took only some of the buckets must not say that it has the version.
        if is_last:
            common["weight_version"] = str(self.request.version)
        return self.engines.post(path, [body | common for body in bodies])

    def await_all(self, calls: list[Future]):
        assert self.engines is not None
        refusals = self.engines.await_all(calls)
        if refusals:
            raise WorkerError(
                "internal",
                f"bucket {self.number + 1} of {self.of} of version {self.request.version} did not get into all of "
                f"{len(self.engines.addresses)} engines ({', '.join(self.engines.addresses)}): {'; '.join(refusals)}",
                _UNDEFINED,
            )

    def close(self):
        if self.engines is not None:
            self.engines.close()


def _places(engines: Engines) -> list[tuple[int, int]]:
    """Which ranks' handles each engine gets, [first, end): engines share GPUs with this worker's ranks in order."""
    calls = engines.get("/server_info")
    refusals = engines.await_all(calls)
    if refusals:
        raise WorkerError("internal", f"engines do not say what they are: {'; '.join(refusals)}", "see their logs")
    places = []
    end = 0
    for address, call in zip(engines.addresses, calls, strict=True):
        size, stages = call.result().get("tp_size"), call.result().get("pp_size", 1)
        if not isinstance(size, int) or size < 1 or stages != 1:
            raise WorkerError(
                "unsupported",
                f"{address} has tp_size {size!r:.20} and pp_size {stages!r:.20}",
                "handles of memory go to engines of one pipeline stage; use the transport nccl",
            )
        first, end = end, end + size
        places.append((first, end))
    if end > dist.get_world_size():
        raise WorkerError(
            "invalid_request",
            f"the engines have {end} GPUs, this worker's ranks {dist.get_world_size()}, so they do not share them",
            "name the engines on this worker's GPUs, in the order of its ranks, or use the transport nccl",
        )
    return places
