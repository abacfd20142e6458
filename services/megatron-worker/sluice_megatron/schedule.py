"""The order of a rank's work: optimizer steps, each of micro-batches, each of samples.

The trainer packs and spreads samples (``MicroBatches`` of common/domain); a worker takes the schedule as it stands,
because ranks exchange gradients, and experts tokens, at the same places.
"""

from dataclasses import dataclass

import numpy as np

from sluice_megatron.batch import Batch
from sluice_megatron.errors import WorkerError


@dataclass(frozen=True)
class OptimizerStep:
    """One data-parallel rank's part of an optimizer step.

    ``divisor`` is what summed losses are divided by, counted over the samples of all ranks: sums over ranks and
    micro-batches are then the step's figures, and gradients need no further averaging.
    """

    micro_batches: tuple[tuple[int, ...], ...]
    divisor: float


def steps_of(batch: Batch, rank: int, ranks: int, multiple: int = 1) -> tuple[OptimizerStep, ...]:
    """The optimizer steps of one of ``ranks`` data-parallel ranks, in order.

    ``multiple`` is what the micro-batches of a rank must divide by (stages of an interleaved pipeline; else 1). Refuses
    a schedule that was made for another number of ranks, or whose ranks do not have equally many micro-batches.
    """
    schedule = batch.schedule.numpy()
    steps = int(schedule[:, 0].max()) + 1
    _refuse_other_ranks(schedule, steps, ranks, multiple)
    return tuple(OptimizerStep(_micro_batches(schedule, step, rank), divisor_of(batch, step)) for step in range(steps))


def divisor_of(batch: Batch, step: int) -> float:
    """What an optimizer step's summed losses are divided by, at least 1 where it is counted."""
    normaliser = batch.header.loss_normaliser
    if normaliser.value > 0:
        return normaliser.value
    samples = np.flatnonzero(batch.schedule.numpy()[:, 0] == step)
    if normaliser.kind == "sample":
        return float(max(1, len(samples)))
    starts = batch.cu_seqlens.numpy()
    mask = batch.loss_mask.numpy()
    return float(max(1, sum(int(mask[starts[i] : starts[i + 1]].sum()) for i in samples)))


def _micro_batches(schedule: np.ndarray, step: int, rank: int) -> tuple[tuple[int, ...], ...]:
    mine = np.flatnonzero((schedule[:, 0] == step) & (schedule[:, 1] == rank))
    numbers = schedule[mine, 2]
    return tuple(tuple(mine[numbers == number].tolist()) for number in np.unique(numbers))


def _refuse_other_ranks(schedule: np.ndarray, steps: int, ranks: int, multiple: int) -> None:
    scheduled = int(schedule[:, 1].max()) + 1
    if scheduled != ranks:
        raise WorkerError(
            "bad_batch",
            f"the batch is scheduled for {scheduled} data-parallel ranks, but this worker has {ranks}",
            f"form it again for {ranks} data-parallel ranks, or start the worker with as many as the plan has (world "
            "size by tensor, pipeline and context parallel sizes)",
        )
    problems = []
    for step in range(steps):
        of_step = schedule[schedule[:, 0] == step]
        counts = [len(np.unique(of_step[of_step[:, 1] == rank, 2])) for rank in range(ranks)]
        if min(counts) != max(counts):
            least, most = counts.index(min(counts)), counts.index(max(counts))
            problems.append(
                f"optimizer step {step} gives rank {least} {counts[least]} micro-batches and rank {most} {counts[most]}"
            )
        elif counts[0] % multiple:
            problems.append(
                f"optimizer step {step} has {counts[0]} micro-batches a rank, which {multiple} pipeline stages do not "
                "divide"
            )
    if problems:
        raise WorkerError(
            "bad_batch",
            "the batch's schedule cannot be followed: " + "; ".join(problems),
            f"form it again for {ranks} data-parallel ranks with equally many micro-batches a rank"
            + (f", a multiple of {multiple}" if multiple > 1 else ""),
        )
