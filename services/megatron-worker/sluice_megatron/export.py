"""The policy's weights as a Hugging Face directory: every rank writes its own elements into shared files.

Layout and headers follow from the table of tensors alone, so ranks agree on them without a word; no tensor is gathered.
"""

import json
import math
import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from safetensors import safe_open

from sluice_megatron import agreement
from sluice_megatron.errors import WorkerError
from sluice_megatron.model import PolicyModel
from sluice_megatron.ranks import phase
from sluice_megatron.shards import Piece, Shards, as_bytes
from sluice_megatron.tensors import Entry, TensorTable

# A size that SGLang's parallel loading likes, as HuggingFaceWriter of common/checkpoint has it.
SHARD_BYTES = 5_000_000_000
_INDEX = "model.safetensors.index.json"
_NAMES = {torch.float32: "F32", torch.bfloat16: "BF16"}


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: its file and first byte there."""

    file: str
    begin: int
    dtype: torch.dtype
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def export_hf(model: PolicyModel, table: TensorTable, source: Path, directory: Path, dtype: torch.dtype):
    """Writes a directory that appears complete or not at all. Every rank calls it.

    ``source`` is the Hugging Face directory that the model came from: its configuration goes along, and tensors that the
    trained model lacks (a multi-token-prediction layer that is not trained) are taken from it.
    """
    shards = Shards(model)
    present = shards.keys_over_ranks()
    in_source = _index(source)
    entries = _entries(table, present, in_source)
    places = _places(entries, dtype)
    partial = directory.with_name(directory.name + ".partial")
    agreement.lead(lambda: _begin(partial, places, source, dtype))

    def write():
        for number, entry in enumerate(entries):
            phase(f"export, tensor {number + 1} of {len(entries)}")
            if _is_trained(entry, present):
                for piece in shards.pieces(entry):
                    _write(partial, places[entry.name], piece)
            elif dist.get_rank() == 0:
                _carry_over(partial, places[entry.name], source / in_source[entry.name], entry)

    try:
        agreement.together(write)
        agreement.lead(lambda: os.rename(partial, directory))
    except WorkerError:
        if dist.get_rank() == 0:
            shutil.rmtree(partial, ignore_errors=True)
        raise


def _is_trained(entry: Entry, present: set[str]) -> bool:
    return any(box.key in present for box in entry.boxes)


def _entries(table: TensorTable, present: set[str], in_source: dict[str, str]) -> list[Entry]:
    """What is written: all that the model holds, what only the source has, and copies that the source has too."""
    by_name = {entry.name: entry for entry in table.entries}
    lost = [name for name, entry in by_name.items() if not _is_trained(entry, present) and name not in in_source]
    if lost:
        raise WorkerError(
            "bad_checkpoint",
            f"{len(lost)} tensors are neither in the model nor in its source, such as {', '.join(lost[:3])}",
            "name the complete source in model.path, or load the model with the arguments of its whole shape",
        )
    entries = list(by_name.values())
    for copy, original in table.copies.items():
        if copy in in_source:
            entry = by_name[original]
            entries.append(Entry(copy, entry.shape, entry.float32, entry.boxes))
    return entries


def _places(entries: list[Entry], dtype: torch.dtype) -> dict[str, Place]:
    files: list[list[tuple[Entry, torch.dtype]]] = [[]]
    size = 0
    for entry in entries:
        stored = torch.float32 if entry.float32 else dtype
        length = math.prod(entry.shape) * stored.itemsize
        if files[-1] and size + length > SHARD_BYTES:
            files.append([])
            size = 0
        files[-1].append((entry, stored))
        size += length
    places = {}
    for number, file in enumerate(files):
        name = "model.safetensors" if len(files) == 1 else f"model-{number + 1:05d}-of-{len(files):05d}.safetensors"
        begin = 0
        # The order of the safetensors library: wide types first, so that all are aligned.
        for entry, stored in sorted(file, key=lambda item: (-item[1].itemsize, item[0].name)):
            places[entry.name] = Place(name, begin, stored, entry.shape)
            begin += places[entry.name].bytes
    header_bytes = {name: len(_header(of_file)) for name, of_file in _by_file(places).items()}
    return {
        name: Place(place.file, place.begin + header_bytes[place.file], place.dtype, place.shape)
        for name, place in places.items()
    }


def _by_file(places: dict[str, Place]) -> dict[str, dict[str, Place]]:
    files: dict[str, dict[str, Place]] = {}
    for name, place in places.items():
        files.setdefault(place.file, {})[name] = place
    return files


def _header(places: dict[str, Place]) -> bytes:
    """The file up to its first tensor; offsets count from there."""
    first = min(place.begin for place in places.values())
    described: dict[str, object] = {"__metadata__": {"format": "pt"}}
    for name, place in sorted(places.items(), key=lambda item: item[1].begin):
        begin = place.begin - first
        described[name] = {
            "dtype": _NAMES[place.dtype],
            "shape": list(place.shape),
            "data_offsets": [begin, begin + place.bytes],
        }
    text = json.dumps(described, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _begin(partial: Path, places: dict[str, Place], source: Path, dtype: torch.dtype):
    """The empty files at their full size, which takes the room before anything is written, and what lies beside them."""
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    files = _by_file(places)
    try:
        for name, of_file in files.items():
            with open(partial / name, "wb") as out:
                out.write(_header(of_file))
                os.posix_fallocate(out.fileno(), 0, max(place.begin + place.bytes for place in of_file.values()))
        if len(files) > 1:
            index = {
                "metadata": {"total_size": sum(place.bytes for place in places.values())},
                "weight_map": {name: places[name].file for name in sorted(places)},
            }
            (partial / _INDEX).write_text(json.dumps(index, indent=2))
        config = json.loads((source / "config.json").read_text())
        config.pop("torch_dtype", None)
        config["dtype"] = str(dtype).removeprefix("torch.")
        (partial / "config.json").write_text(json.dumps(config, indent=2))
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _write(directory: Path, place: Place, piece: Piece):
    values = piece.values.to(place.dtype)
    with open(directory / place.file, "r+b", buffering=0) as out:
        if tuple(values.shape[1:]) == place.shape[1:]:
            row_bytes = math.prod(place.shape[1:]) * place.dtype.itemsize
            first = piece.offsets[0] * row_bytes if piece.offsets else 0
            _write_all(out.fileno(), as_bytes(values).numpy().data, place.begin + first)
            return
        # Columns of rows: as bytes, the last axis is that many times as wide.
        width = place.dtype.itemsize
        rows = np.memmap(out, np.uint8, "r+", place.begin, (*place.shape[:-1], place.shape[-1] * width))
        within = [slice(at, at + size) for at, size in zip(piece.offsets, values.shape, strict=True)]
        within[-1] = slice(piece.offsets[-1] * width, (piece.offsets[-1] + values.shape[-1]) * width)
        rows[tuple(within)] = as_bytes(values).numpy().reshape(*values.shape[:-1], -1)
        rows.flush()


def _write_all(file: int, content: memoryview, at: int):
    content = content.cast("B")
    while content:
        done = os.pwrite(file, content[: 1 << 30], at)
        content, at = content[done:], at + done


def _carry_over(directory: Path, place: Place, source: Path, entry: Entry):
    with safe_open(source, "pt") as tensors:
        values = tensors.get_tensor(entry.name)
    if tuple(values.shape) != entry.shape:
        raise WorkerError(
            "bad_checkpoint",
            f"{entry.name} has the shape {list(values.shape)} in {source.name}, expected {list(entry.shape)}",
            "name the directory that the model was converted from",
        )
    _write(directory, place, Piece(values, (0,) * values.dim()))


def _index(source: Path) -> dict[str, str]:
    """Which file each tensor of a Hugging Face directory lies in; none where it holds no weights."""
    index = source / _INDEX
    if index.is_file():
        files = json.loads(index.read_text())["weight_map"]
    else:
        single = source / "model.safetensors"
        if not single.is_file():
            return {}
        with safe_open(single, "pt") as tensors:
            files = dict.fromkeys(tensors.keys(), single.name)
    for file in set(files.values()):
        if Path(file).name != file:
            raise WorkerError("bad_checkpoint", f"{index} names {file[:80]!r}, which lies elsewhere", "restore it")
    return files
