"""Writes torch_dist checkpoints in three parts: plan with all ranks, write alone, finish on rank 0 alone.

Megatron's own ``dist_checkpointing.save`` ends with collectives, so nothing else could run beside it, and reports a
full disk as an assertion. The plan and the files are Megatron's; what ranks tell each other at the end goes through
files in the directory instead, which a cut's directory is shared for anyway.
"""

import errno
import json
import os
import queue
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from megatron.core import dist_checkpointing
from megatron.core.dist_checkpointing.core import CheckpointingConfig, save_config
from megatron.core.dist_checkpointing.strategies import filesystem_async
from megatron.core.dist_checkpointing.strategies.torch import TorchDistSaveShardedStrategy
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import MetadataIndex
from torch.distributed.checkpoint.storage import WriteResult

from sluice_megatron.errors import WorkerError

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Strategy(TorchDistSaveShardedStrategy):
    """Megatron's, which hands out its plan in place of callbacks that are collectives."""

    def _get_save_and_finalize_callbacks(self, writer, save_state_dict_ret, async_strategy):
        self.writer = writer
        self.metadata = save_state_dict_ret[1]
        return super()._get_save_and_finalize_callbacks(writer, save_state_dict_ret, async_strategy)


class Saving:
    """A checkpoint on its way into ``directory``, which is there and empty.

    Every rank makes one at the same time; from then on the state may change if ``copied``.
    """

    def __init__(self, state: dict, directory: Path, content: dict, copied: bool):
        # It would otherwise start a process for a queue that nothing of ours reads, and leave it behind.
        filesystem_async._results_queue = queue.SimpleQueue()
        strategy = _Strategy()
        request = dist_checkpointing.save(
            state,
            str(directory),
            strategy,
            async_sharded_save=True,
            content_metadata=content,
            async_strategy="mcore",
        )
        self._directory = directory
        self._strategy = strategy
        self._rank = dist.get_rank()
        self._ranks = dist.get_world_size()
        self._transforms = request.async_fn.args[0] if request.async_fn is not None else []
        self._buckets = request.preload_fn() if request.preload_fn is not None else []
        if copied:
            _own(self._buckets, strategy.writer.write_buckets)
        strategy.writer.write_buckets = None

    def write(self):
        """This rank's files, and then what is in them; no collective, any thread. Raises disk_full."""
        write = partial(filesystem_async.FileSystemWriterAsync.write_preloaded_data, self._transforms)
        with ThreadPoolExecutor(max(1, len(self._buckets)), "save") as threads:
            ended = [
                threads.submit(
                    write,
                    local_proc_idx=number,
                    write_bucket=bucket,
                    results_queue=None,
                    count_queue=None,
                    use_fsync=True,
                )
                for number, bucket in enumerate(self._buckets)
            ]
        results: list[WriteResult] = []
        for one in ended:
            outcome = one.result()[1]
            if isinstance(outcome, BaseException):
                raise _failure(outcome, self._directory)
            results += outcome
        self._buckets = []
        try:
            _told(self._directory, self._rank).write_text(json.dumps([asdict(result) for result in results]))
        except OSError as e:
            raise _failure(e, self._directory) from e

    def finish(self):
        """Makes a checkpoint of the files, once every rank has written; rank 0 alone."""
        try:
            told = [_results(_told(self._directory, rank)) for rank in range(self._ranks)]
            self._strategy.writer.finish(self._strategy.metadata, told)
            save_config(CheckpointingConfig(self._strategy.backend, self._strategy.version), str(self._directory))
            for rank in range(self._ranks):
                _told(self._directory, rank).unlink()
        except OSError as e:
            raise _failure(e, self._directory) from e


def remove(directory: Path):
    """What is left of a cut that failed."""
    shutil.rmtree(directory, ignore_errors=True)


def _own(buckets: list, planned: list):
    """Copies what was on the host before: it came as it is, and the next step would change it."""
    for (_, _, (_, tensors)), (_, _, (_, origins)) in zip(buckets, planned, strict=True):
        for at, (item, tensor) in enumerate(tensors):
            if origins[at][1].device.type == "cpu":
                # One after another, so that the copy that Megatron made of a view does not stay beside this one.
                origins[at] = (item, tensor := tensor.clone())
                tensors[at] = (item, tensor)


def _told(directory: Path, rank: int) -> Path:
    return directory / f".written-{rank}.json"


def _results(file: Path) -> list[WriteResult]:
    return [_result(told) for told in json.loads(file.read_text())]


def _result(told: dict[str, Any]) -> WriteResult:
    index, stored = told["index"], told["storage_data"]
    offset = None if index["offset"] is None else torch.Size(index["offset"])
    return WriteResult(
        MetadataIndex(index["fqn"], offset, index["index"]), told["size_in_bytes"], _StorageInfo(**stored)
    )


def _failure(e: BaseException, directory: Path) -> BaseException:
    if isinstance(e, OSError) and e.errno in _NO_ROOM:
        return WorkerError(
            "disk_full", f"{directory} cannot be written: {os.strerror(e.errno)}", "make room, or move the data root"
        )
    return e
