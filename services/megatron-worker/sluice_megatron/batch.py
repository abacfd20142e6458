"""The batch file of a step: a safetensors file whose columns common/worker-api's ``Batch`` describes.

A file is read once into memory, hashed beside the checks, and refused with every problem at once and in the words of
common/worker-api's ``BatchCheck``: a trainer's log reads the same whichever worker it drives.
"""

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from torch import Tensor

from sluice_megatron.batch_check import problems_of
from sluice_megatron.batch_header import Header, header_of
from sluice_megatron.errors import WorkerError
from sluice_megatron.safetensors_bytes import BrokenFileError, columns_of

# Far above a step of 4,096 samples of 32k tokens (4.4 GB); a path to something else must not fill the host's memory.
MAX_BATCH_BYTES = 8 << 30

# Name and dtype of each column in the file.
_COLUMNS = {
    "tokens": np.int32,
    "cu_seqlens": np.int32,
    "prompt_lengths": np.int32,
    "sample_id": np.int64,
    "group": np.int32,
    "loss_denominator": np.float32,
    "truncated": np.uint8,
    "loss_mask": np.uint8,
    "advantages": np.float32,
    "rollout_logprobs": np.float32,
    "weight_version": np.int32,
    "schedule": np.int32,
}
OPTIONAL_COLUMNS = ("old_logprobs", "ref_logprobs", "teacher_logprobs", "values", "returns")


@dataclass(frozen=True)
class Batch:
    """N samples of T tokens together, on the host; entry t of a token column belongs to token t. Read-only by contract.

    Prompt entries of token columns are 0 and masked. Log-probabilities are in nats.
    """

    header: Header
    sha256: str
    tokens: Tensor  # i32[T]
    cu_seqlens: Tensor  # i32[N+1], sample i has the tokens from cu_seqlens[i] to before cu_seqlens[i + 1]
    prompt_lengths: Tensor  # i32[N]
    sample_id: Tensor  # i64[N]
    group: Tensor  # i32[N]
    loss_denominator: Tensor  # f32[N]
    truncated: Tensor  # u8[N]
    loss_mask: Tensor  # u8[T], 1 where a token has a gradient
    advantages: Tensor  # f32[T]
    rollout_logprobs: Tensor  # f32[T]
    weight_version: Tensor  # i32[T]
    schedule: Tensor  # i32[N,3]: optimizer step, data-parallel rank, micro-batch
    optional: dict[str, Tensor]  # f32[T] each, of OPTIONAL_COLUMNS

    @property
    def samples(self) -> int:
        return len(self.prompt_lengths)

    def column(self, name: str) -> Tensor:
        """A column that only some losses need; f32[T]."""
        if name not in self.optional:
            raise WorkerError(
                "bad_batch", f"the loss needs the column {name}, which the batch lacks", "compute it with /forward"
            )
        return self.optional[name]


def read(path: Path, max_bytes: int = MAX_BATCH_BYTES) -> Batch:
    """Reads, checks and hashes a batch; ``bad_batch`` if it is missing, damaged, too large or contradicts itself."""
    content = _content(path, max_bytes)
    with ThreadPoolExecutor(1) as beside:
        # Hashing takes longer than everything else together and leaves the interpreter free.
        digest = beside.submit(hashlib.sha256, content)
        try:
            metadata, columns = columns_of(content, _COLUMNS, OPTIONAL_COLUMNS)
            header = header_of(metadata)
        except BrokenFileError as e:
            _refuse(path, str(e), "form the batch again")
        problems = problems_of(header, columns)
        if problems.count:
            raise WorkerError(
                "bad_batch",
                f"the batch contradicts itself in {problems.count} places: {'; '.join(problems.shown)}",
                "form it again",
            )
        tensors = {name: torch.from_numpy(values) for name, values in columns.items()}
        optional = {name: tensors.pop(name) for name in OPTIONAL_COLUMNS if name in tensors}
        return Batch(header=header, sha256=digest.result().hexdigest(), optional=optional, **tensors)


def refuse_other(batch: Batch, run_id: str, step: int) -> None:
    """Refuses a batch of another run or step than was asked for."""
    header = batch.header
    if header.run_id != run_id or header.step != step:
        raise WorkerError(
            "bad_batch",
            f"the batch is of run {header.run_id}, step {header.step}, but run {run_id} is loaded and step {step} was "
            "asked for",
            "send the batch of that step",
        )


def refuse_misfit(batch: Batch, vocabulary: int, max_positions: int) -> None:
    """Refuses what a model cannot compute: tokens beyond its vocabulary, samples beyond its positions."""
    lengths = batch.cu_seqlens.diff().numpy()
    too_long = np.flatnonzero(lengths > max_positions)
    if len(too_long):
        first = int(too_long[0])
        raise WorkerError(
            "bad_batch",
            f"sample {first} has {lengths[first]} tokens but the model's positions end at {max_positions}"
            + _and_more(len(too_long), "samples"),
            "lower rollout.maxResponseTokens",
        )
    tokens = batch.tokens.numpy()
    if int(tokens.min()) < 0 or int(tokens.max()) >= vocabulary:
        outside = np.flatnonzero((tokens < 0) | (tokens >= vocabulary))
        first = int(outside[0])
        raise WorkerError(
            "bad_batch",
            f"token {first} is {tokens[first]} but the model's vocabulary has {vocabulary}"
            + _and_more(len(outside), "tokens"),
            "use the tokenizer of this model",
        )


def _and_more(count: int, what: str) -> str:
    return f" (the first of {count} such {what})" if count > 1 else ""


def _content(path: Path, max_bytes: int) -> np.ndarray:
    """All bytes of a regular file; a copy, since a mapped file that shrinks would kill the rank."""
    try:
        # Without O_NONBLOCK the opening of a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                _refuse(path, "it is no regular file", "form the batch again")
            if status.st_size > max_bytes:
                _refuse(
                    path,
                    f"it has {status.st_size} bytes; a batch may have {max_bytes}",
                    "train on fewer samples a step, or see that the path is the batch's",
                )
            content = np.empty(status.st_size, np.uint8)
            filled = 0
            while filled < len(content):
                got = os.readv(descriptor, [memoryview(content)[filled:]])
                if not got:
                    _refuse(path, f"it shrank to {filled} bytes while it was read", "form the batch again")
                filled += got
            return content
        finally:
            os.close(descriptor)
    except OSError as e:
        _refuse(path, f"cannot be read: {e.strerror}", "see that it exists on every node")


def _refuse(path: Path, what: str, mend: str) -> NoReturn:
    raise WorkerError("bad_batch", f"{path}: {what}", mend)
