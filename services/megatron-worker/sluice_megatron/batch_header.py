"""What a batch file's metadata says of all its samples."""

import json
import re
from dataclasses import dataclass

from sluice_megatron.safetensors_bytes import BrokenFileError

FORMAT_VERSION = "1"

_NORMALISERS = ("sample", "token", "constant")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")


@dataclass(frozen=True)
class LossNormaliser:
    """What summed token losses are divided by in each optimizer step.

    ``kind`` is ``sample``, ``token`` or ``constant``; ``value`` 0 means: counted in the optimizer step.
    """

    kind: str
    value: float


@dataclass(frozen=True)
class Header:
    """What holds for all samples; ``temperature`` divides logits, ``top_p`` 1 and ``top_k`` 0 cut nothing."""

    run_id: str
    step: int
    epoch: int
    temperature: float
    top_p: float
    top_k: int
    loss_normaliser: LossNormaliser
    content_sha256: str | None


def header_of(metadata: dict[str, str]) -> Header:
    """Reads the metadata; a ``BrokenFileError`` names every entry that is missing or no number."""
    version = metadata.get("formatVersion", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise BrokenFileError(
            f"format version {version}; this worker reads {FORMAT_VERSION}, so trainer and worker are of different "
            "releases"
        )
    entries = _Entries(metadata)
    entries.text("formatVersion")
    header = Header(
        run_id=entries.text("runId"),
        step=entries.whole("step"),
        epoch=entries.whole("epoch"),
        temperature=entries.number("temperature"),
        top_p=entries.number("topP"),
        top_k=entries.whole("topK"),
        loss_normaliser=entries.normaliser("lossNormaliser"),
        content_sha256=metadata.get("contentSha256"),
    )
    if entries.problems:
        raise BrokenFileError("; ".join(entries.problems))
    return header


class _Entries:
    """Reads entries and notes what is wrong with each."""

    def __init__(self, metadata: dict[str, str]):
        self.problems: list[str] = []
        self._metadata = metadata

    def text(self, key: str) -> str:
        value = self._metadata.get(key)
        if value is None:
            self.problems.append(f"the metadata lacks {key}")
            return ""
        return value

    def whole(self, key: str) -> int:
        text = self.text(key)
        if key in self._metadata and not _WHOLE_NUMBER.fullmatch(text):
            self.problems.append(f"{key} is {text[:40]!r}, not a whole number")
            return 0
        return int(text or "0")

    def number(self, key: str) -> float:
        text = self.text(key)
        try:
            return float(text or "0")
        except ValueError:
            self.problems.append(f"{key} is {text[:40]!r}, not a number")
            return 0.0

    def normaliser(self, key: str) -> LossNormaliser:
        text = self.text(key)
        if not text:
            return LossNormaliser("sample", 0.0)
        try:
            value = json.loads(text)
            kind, divisor = value["kind"], value.get("value", 0)
            if kind in _NORMALISERS and isinstance(divisor, int | float) and not isinstance(divisor, bool):
                return LossNormaliser(kind, float(divisor))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            pass  # said below, whatever it was
        self.problems.append(
            f'{key} is {text[:80]!r}, not {{"kind": one of {", ".join(_NORMALISERS)}, "value": a number}}'
        )
        return LossNormaliser("sample", 0.0)
