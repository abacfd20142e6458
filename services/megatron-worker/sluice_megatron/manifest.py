"""``manifest.json`` of a directory: every file with its size and XXH3-64, as Manifest in common/checkpoint reads it."""

import hashlib
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import xxhash

FILE = "manifest.json"
FORMAT_VERSION = 2
_READ_BYTES = 8 << 20
_THREADS = 4


def write(directory: Path) -> str:
    """Lists a directory that nothing writes to any more; returns the manifest's SHA-256, hexadecimal."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path != directory / FILE)
    with ThreadPoolExecutor(_THREADS) as pool:
        hashes = list(pool.map(_xxh3, files))
    lines = [
        json.dumps({"path": path.relative_to(directory).as_posix(), "bytes": path.stat().st_size, "xxh3": hexadecimal})
        for path, hexadecimal in zip(files, hashes, strict=True)
    ]
    text = '{\n"formatVersion" : %d,\n"files" : [\n%s\n],\n"tensors" : []\n}\n' % (FORMAT_VERSION, ",\n".join(lines))
    content = text.encode()
    partial = directory / (FILE + ".tmp")
    with open(partial, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    os.replace(partial, directory / FILE)
    return hashlib.sha256(content).hexdigest()


def listed(directory: Path, began: float) -> dict[str, Any]:
    """Writes the manifest; returns FilesWritten of common/worker-api. ``began`` is a time of time.monotonic."""
    return {
        "dir": str(directory),
        "manifestSha256": write(directory),
        "manifest": str(directory / FILE),
        "bytes": size(directory),
        "seconds": time.monotonic() - began,
    }


def size(directory: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def _xxh3(path: Path) -> str:
    digest = xxhash.xxh3_64()
    with open(path, "rb") as source:
        while block := source.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
