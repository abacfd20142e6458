"""Where a rank computes: its GPU, or the CPU for tests and for a look without GPUs.

Megatron-Core names CUDA in many places. ``use_cpu`` makes those mean the CPU; everything above the tensors (process groups,
parallel layers, optimizer, checkpoints) is Megatron's own code either way.
"""

import contextlib
import os
from types import SimpleNamespace

import torch
import torch._dynamo
from torch.overrides import TorchFunctionMode

_ENTERED: list["_CpuForCuda"] = []


class _CpuForCuda(TorchFunctionMode):
    """Every tensor that is asked for on CUDA is made on the CPU."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if "device" in kwargs:
            kwargs["device"] = _on_cpu(kwargs["device"])
        name = getattr(func, "__name__", "")
        if name == "cuda":
            return args[0]
        if name == "type" and len(args) == 1:
            return func(*args, **kwargs).replace("torch.", "torch.cuda.", 1)
        if name == "to":
            args = tuple(
                _on_cpu(argument) if isinstance(argument, (str, torch.device)) else argument for argument in args
            )
        return func(*args, **kwargs)


def _on_cpu(device):
    return "cpu" if device is not None and str(device).startswith("cuda") else device


class _Stream:
    """Work on a CPU is done when the call returns."""

    def __init__(self, *args, **kwargs):
        self.cuda_stream = 0

    def wait_stream(self, other):
        pass

    def wait_event(self, event):
        pass

    def synchronize(self):
        pass

    def record_event(self, event=None):
        return event or _Event()


class _Event:
    def __init__(self, *args, **kwargs):
        pass

    def record(self, stream=None):
        pass

    def wait(self, stream=None):
        pass

    def synchronize(self):
        pass

    def query(self):
        return True


def use_gpu() -> torch.device:
    """Takes the GPU of this rank on its node."""
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def use_cpu() -> torch.device:
    """Makes the CPU stand in for CUDA in this process, for good."""
    device = torch.device("cpu")
    if _ENTERED:
        return device
    # What it compiles would look behind these names.
    torch._dynamo.config.disable = True
    stream = _Stream()
    cuda = torch.cuda
    cuda.current_device = lambda: device
    cuda.Stream = _Stream
    cuda.Event = _Event
    cuda.current_stream = lambda *args, **kwargs: stream
    cuda.default_stream = lambda *args, **kwargs: stream
    cuda.stream = lambda *args, **kwargs: contextlib.nullcontext()
    for nothing in ("synchronize", "empty_cache", "manual_seed", "set_device", "reset_peak_memory_stats"):
        setattr(cuda, nothing, lambda *args, **kwargs: None)
    cuda.get_rng_state = cuda.random.get_rng_state = lambda *args, **kwargs: torch.get_rng_state()
    cuda.set_rng_state = lambda state, *args, **kwargs: torch.set_rng_state(state)
    cuda.device_count = lambda: 1
    cuda.get_device_capability = lambda *args: (10, 0)
    cuda.get_device_properties = lambda *args: SimpleNamespace(name="CPU", major=10, minor=0, total_memory=0)
    for counter in ("memory_allocated", "max_memory_allocated", "memory_reserved"):
        setattr(cuda, counter, lambda *args, **kwargs: 0)
    cuda.mem_get_info = lambda *args, **kwargs: (0, 0)
    torch.nn.Module.cuda = lambda self, *args, **kwargs: self
    _replace_what_asks_for_cuda()
    mode = _CpuForCuda()
    mode.__enter__()
    _ENTERED.append(mode)
    return device


def _replace_what_asks_for_cuda():
    """The token dispatcher takes counts for numbers once they have left the GPU, which they never were on; and random numbers
    have the CPU's state.
    """
    from megatron.core.tensor_parallel import random
    from megatron.core.transformer.moe import moe_utils, token_dispatcher

    def counts(tensor, as_numpy=False, record_stream=False):
        return tensor.numpy() if as_numpy and torch.is_tensor(tensor) else tensor

    moe_utils.maybe_move_tensor_to_cpu = token_dispatcher.maybe_move_tensor_to_cpu = counts
    random._get_cuda_rng_state = lambda *args, **kwargs: torch.get_rng_state()
    random._set_cuda_rng_state = lambda state, *args, **kwargs: torch.set_rng_state(state)
