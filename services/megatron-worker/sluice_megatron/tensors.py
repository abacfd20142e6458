"""Where each Hugging Face tensor lies in Megatron's: the table that the trainer derives from config.json.

The name map is the converter's alone (common/checkpoint); this worker follows its table, whatever the model's family.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from sluice_megatron.errors import WorkerError

MAX_TABLE_BYTES = 256 << 20


@dataclass(frozen=True)
class Box:
    """A box of the Megatron tensor ``key`` that holds a box of a Hugging Face tensor, element for element.

    Offsets and sizes are elements by axis; ``key_sizes`` may have leading ones where ``sizes`` has none (experts).
    """

    key: str
    key_offsets: tuple[int, ...]
    key_sizes: tuple[int, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """A Hugging Face tensor. Boxes cover it; where it has two names in Megatron they cover it twice."""

    name: str
    shape: tuple[int, ...]
    float32: bool
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class TensorTable:
    """All tensors of a model in the order of the files, and those that repeat another one (copy to original)."""

    entries: tuple[Entry, ...]
    copies: dict[str, str]

    @staticmethod
    def read(path: Path) -> "TensorTable":
        try:
            if path.stat().st_size > MAX_TABLE_BYTES:
                raise ValueError(f"it has {path.stat().st_size} bytes; at most {MAX_TABLE_BYTES} are read")
            table = json.loads(path.read_bytes())
            entries = tuple(_entry(entry) for entry in table["tensors"])
            return TensorTable(entries, dict(table.get("copies", {})))
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise WorkerError("invalid_request", f"{path} is no table of tensors: {e!r:.300}", "write it again") from e


def _entry(entry: dict) -> Entry:
    boxes = tuple(
        Box(
            box["key"],
            tuple(box["keyOffsets"]),
            tuple(box["keySizes"]),
            tuple(box["offsets"]),
            tuple(box["sizes"]),
        )
        for box in entry["boxes"]
    )
    return Entry(entry["name"], tuple(entry["shape"]), bool(entry.get("float32", False)), boxes)
