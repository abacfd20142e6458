"""A bucket as SGLang's /update_weights_from_tensor takes it: a pickle whose tensor is a handle of this GPU's memory.

The pickle is what MultiprocessingSerializer of SGLang 0.5.15 writes and its SafeUnpickler lets in: a CUDA tensor as
torch's rebuild_cuda_tensor, with the GPU's UUID in place of its number (SGLang's patch_torch.py), because processes
number GPUs differently. Metadata is read by attribute there, so a namespace does and SGLang need not be here.
"""

import base64
import io
import pickle
from functools import partial
from types import SimpleNamespace

import torch
from torch.multiprocessing import reductions

from sluice_megatron.buckets import Bucket

_DEVICE_ARGUMENT = 6


def payload(bucket: Bucket, flat: torch.Tensor) -> str:
    """Base64. ``flat`` is u8[bytes] and must live until the engine has answered; on the CPU it travels by value."""
    metadata = []
    end = 0
    for entry, values in zip(bucket.entries, bucket.views(flat), strict=True):
        begin, end = end, end + values.numel() * values.element_size()
        metadata.append(
            SimpleNamespace(
                name=entry.name,
                shape=values.shape,
                dtype=bucket.dtype,
                start_idx=begin,
                end_idx=end,
                numel=end - begin,
            )
        )
    content = io.BytesIO()
    _Handles(content).dump({"flattened_tensor": flat, "metadata": metadata})
    return base64.b64encode(content.getvalue()).decode()


class _Handles(pickle.Pickler):
    def reducer_override(self, thing):
        if not isinstance(thing, torch.Tensor):
            return NotImplemented
        if thing.device.type != "cuda":
            # Tensors' own pickles name a function of Megatron's, once that is imported.
            return partial(torch.frombuffer, dtype=thing.dtype), (bytearray(thing.numpy()),)
        rebuild, arguments = reductions.reduce_tensor(thing)
        uuid = str(torch.cuda.get_device_properties(thing.device).uuid)
        return rebuild, (*arguments[:_DEVICE_ARGUMENT], uuid, *arguments[_DEVICE_ARGUMENT + 1 :])
