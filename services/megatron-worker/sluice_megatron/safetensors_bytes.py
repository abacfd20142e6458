"""Columns out of a safetensors file that is in memory; its header is checked completely and nothing is copied.

Not the safetensors package's reader, which opens the path again: what was hashed must be what is trained on.

Format: eight bytes of header length, JSON, then the tensors without gaps; https://github.com/huggingface/safetensors#format
"""

import json
from collections.abc import Collection, Mapping

import numpy as np

# A batch's header is about 2 kB; the format would allow 100 MB of JSON.
MAX_HEADER_BYTES = 1 << 20

_DTYPES = {"U8": np.uint8, "I32": np.int32, "I64": np.int64, "F32": np.float32}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}


class BrokenFileError(Exception):
    """What is wrong with a file, without its path."""


def columns_of(
    content: np.ndarray, required: Mapping[str, type], optional: Collection[str]
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Metadata and columns of a file's bytes u8[...]: those required, by name and dtype, and optional ones of f32.

    Tensors with other names are skipped: the file may be of a newer trainer.
    """
    header, begin = _header(content)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise BrokenFileError("has __metadata__ with something else than texts")
    tensors = {name: _Tensor(name, entry) for name, entry in header.items()}
    _refuse_gaps(tensors.values(), len(content) - begin)
    wanted = dict(required) | {name: np.float32 for name in optional if name in tensors}
    problems = [f"it has no tensor {name}" for name in required if name not in tensors]
    for name, dtype in wanted.items():
        if name in tensors and tensors[name].dtype != _NAMES[np.dtype(dtype)]:
            problems.append(f"{name} is {tensors[name].dtype}, expected {_NAMES[np.dtype(dtype)]}")
    if problems:
        raise BrokenFileError("; ".join(problems))
    data = content[begin:]
    return metadata, {name: tensors[name].values(data) for name in wanted}


class _Tensor:
    """An entry of the header: dtype, shape and the place of its bytes in the data part."""

    def __init__(self, name: str, entry: object):
        self.name = name
        fields = entry if isinstance(entry, dict) else {}
        shape, offsets = fields.get("shape"), fields.get("data_offsets")
        if not (_whole_numbers(shape) and _whole_numbers(offsets) and len(offsets) == 2 and len(shape) <= 8):
            raise BrokenFileError(f"describes tensor {name[:80]} without a shape and two data offsets")
        self.dtype = str(fields.get("dtype"))
        self.shape = tuple(shape)
        self.begin, self.end = offsets
        if self.begin > self.end:
            raise BrokenFileError(f"tensor {name[:80]} ends at {self.end}, before it begins at {self.begin}")

    def values(self, data: np.ndarray) -> np.ndarray:
        dtype = np.dtype(_DTYPES[self.dtype])
        entries = 1
        for size in self.shape:
            entries *= size
        if entries * dtype.itemsize != self.end - self.begin:
            raise BrokenFileError(
                f"tensor {self.name} of the shape {list(self.shape)} needs {entries * dtype.itemsize} bytes, its data "
                f"offsets give {self.end - self.begin}"
            )
        # A column of bytes before one of floats can leave the floats between two words: only then they are copied.
        return np.require(data[self.begin : self.end].view(dtype).reshape(self.shape), requirements="A")


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(number) is int and number >= 0 for number in value)


def _header(content: np.ndarray) -> tuple[dict, int]:
    if len(content) < 8:
        raise BrokenFileError(f"has {len(content)} bytes, fewer than the 8 of a header length")
    length = int(content[:8].view("<u8")[0])
    if length < 2 or length > MAX_HEADER_BYTES or length > len(content) - 8:
        raise BrokenFileError(
            f"claims a header of {length} bytes in a file of {len(content)} bytes (at most {MAX_HEADER_BYTES} are "
            "allowed)"
        )
    try:
        header = json.loads(content[8 : 8 + length].tobytes(), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as e:
        raise BrokenFileError(f"has a header that is no JSON: {e}") from e
    if not isinstance(header, dict):
        raise BrokenFileError("has a header that is no JSON object")
    return header, 8 + length


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands there twice")
    return fields


def _refuse_gaps(tensors: Collection[_Tensor], data_bytes: int) -> None:
    """As the reference library: no overlap, no hole, and nothing after the last tensor."""
    end = 0
    for tensor in sorted(tensors, key=lambda t: (t.begin, t.end)):
        if tensor.begin != end:
            raise BrokenFileError(
                f"has {'overlapping tensors' if tensor.begin < end else 'a hole'}: tensor {tensor.name[:80]} begins at "
                f"{tensor.begin}, the one before ends at {end}"
            )
        end = tensor.end
    if end != data_bytes:
        raise BrokenFileError(
            f"is {'truncated' if data_bytes < end else 'too long'}: its header needs {end} bytes of data, the file has "
            f"{data_bytes}"
        )
