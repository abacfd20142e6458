"""How fast the ranks of a worker sum tensors together: the collective that gradients, weights and tensor parallelism wait for.

python -m torch.distributed.run --standalone --nproc-per-node 8 -m sluice_megatron.bandwidth

`sluice doctor` starts it; Megatron has nothing like it. Rank 0 prints one line of JSON: for each size the median seconds
of an all_reduce and its bus bandwidth, in 10^9 bytes a second. Bus bandwidth is bytes / seconds * 2 (n - 1) / n, which
does not depend on the number of ranks where the links are the limit:
https://github.com/NVIDIA/nccl-tests/blob/master/doc/PERFORMANCE.md
"""

import argparse
import json
import os
import socket
import statistics
import sys
import time
from datetime import timedelta

import torch
import torch.distributed as dist

MEET_SECONDS = 60
_WARM_ROUNDS = 5
_ROUNDS = 20
_MIB = 1 << 20


def bus_bandwidth(size: int, seconds: float, ranks: int) -> float:
    """10^9 bytes a second of an all_reduce of ``size`` bytes."""
    return size / seconds * 2 * (ranks - 1) / ranks / 1e9


def measure(sizes: list[int], device: torch.device, rounds: int = _ROUNDS) -> list[dict[str, float]]:
    """One row a size in bytes: {bytes, seconds, busGBps}; seconds are the median of ``rounds`` on the slowest rank.

    Raises RuntimeError where the sums are wrong: a link that loses bits is worse than a slow one.
    """
    ranks = dist.get_world_size()
    rows = []
    for size in sizes:
        tensor = torch.ones(size // 4, dtype=torch.float32, device=device)
        dist.all_reduce(tensor)
        if not bool((tensor == ranks).all()):
            raise RuntimeError(f"all_reduce of ones over {ranks} ranks did not give {ranks} everywhere")
        times = [_seconds(tensor, device) for _ in range(_WARM_ROUNDS + rounds)][_WARM_ROUNDS:]
        seconds = torch.tensor(statistics.median(times), dtype=torch.float64, device=device)
        dist.all_reduce(seconds, op=dist.ReduceOp.MAX)
        rows.append(
            {"bytes": size, "seconds": seconds.item(), "busGBps": round(bus_bandwidth(size, seconds.item(), ranks), 2)}
        )
    return rows


def _seconds(tensor: torch.Tensor, device: torch.device) -> float:
    tensor.fill_(1.0)
    dist.barrier()
    _settle(device)
    start = time.perf_counter()
    dist.all_reduce(tensor)
    _settle(device)
    return time.perf_counter() - start


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sluice_megatron.bandwidth", description="Measures all_reduce over all ranks.")
    parser.add_argument("--backend", choices=["nccl", "gloo"], default="nccl", help="gloo: on CPUs (%(default)s)")
    parser.add_argument(
        "--mib", type=int, nargs="+", default=[16, 256, 1024], help="sizes of the summed tensor, MiB (%(default)s)"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    if "RANK" not in os.environ:
        print(
            "start this by torchrun: python -m torch.distributed.run ... -m sluice_megatron.bandwidth", file=sys.stderr
        )
        return 2
    local = int(os.environ["LOCAL_RANK"])
    if options.backend == "nccl":
        if local >= torch.cuda.device_count():
            seen = torch.cuda.device_count()
            print(f"error: rank {local} of this node has no GPU: {seen} are visible", file=sys.stderr)
            return 2
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    else:
        device = torch.device("cpu")
    dist.init_process_group(
        options.backend,
        timeout=timedelta(seconds=MEET_SECONDS),
        device_id=device if device.type == "cuda" else None,
    )
    rows = measure([mib * _MIB for mib in options.mib], device)
    hosts: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(hosts, socket.gethostname())
    if dist.get_rank() == 0:
        report = {
            "ranks": dist.get_world_size(),
            "hosts": sorted({str(host) for host in hosts}),
            "backend": options.backend,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "nccl": ".".join(map(str, torch.cuda.nccl.version())) if device.type == "cuda" else "",
            "rows": rows,
        }
        print("bandwidth " + json.dumps(report), flush=True)
    dist.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
