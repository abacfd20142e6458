"""What is in use on this rank's GPU, by this process and by others, and waiting until others have left room.

Engines on the same GPUs answer a release before their memory is free: the driver takes it back later.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from sluice_megatron.errors import WorkerError, is_out_of_gpu_memory

# How long an onload waits.
ROOM_SECONDS = 30.0
_POLL_SECONDS = 0.1
# What the allocator rounds up to.
_SPARE_BYTES = 64 << 20
_GIB = 2**30


def used() -> int:
    """Bytes in use on this rank's GPU, by whomever; 0 without one."""
    free, total = torch.cuda.mem_get_info()
    return total - free


def await_room(needed: int, seconds: float, free: Callable[[], int] = lambda: torch.cuda.mem_get_info()[0]):
    """Waits until so many bytes are free. Raises WorkerError, whose code leads to no smaller micro-batches, if they are not."""
    end = time.monotonic() + seconds
    while (there := free()) < needed + _SPARE_BYTES:
        if time.monotonic() > end:
            raise WorkerError(
                "internal",
                f"{needed / _GIB:.2f} GiB are to come back to the GPU and after {seconds:g} s {there / _GIB:.2f} GiB are free: "
                f"{whose()}",
                _MEND,
            )
        time.sleep(_POLL_SECONDS)


def whose() -> str:
    """Who holds the GPU's memory, for a person. CUDA's own share of this process counts as others'."""
    free, total = torch.cuda.mem_get_info()
    own = torch.cuda.memory_reserved()
    return (
        f"of {total / _GIB:.2f} GiB this worker's tensors hold {own / _GIB:.2f} and others, with CUDA's own, "
        f"{(total - free - own) / _GIB:.2f}"
    )


@contextmanager
def others_are_named(doing: str) -> Iterator[None]:
    """Where the GPU's memory ends, says who holds it: these bytes do not depend on the size of a batch."""
    try:
        yield
    except RuntimeError as e:
        if not is_out_of_gpu_memory(e):
            raise
        raise WorkerError(
            "internal", f"the GPU's memory ended while {doing}: {whose()}; {str(e).splitlines()[0][:300]}", _MEND
        ) from e


_MEND = (
    "see in nvidia-smi who holds it: engines on these GPUs must have released theirs (/release_memory_occupation, "
    "started with --enable-memory-saver), and processes of earlier runs must be gone; else spread the model over more GPUs"
)
