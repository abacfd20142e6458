"""Rank 0's side of a call: posts it, watches over all ranks, and says which one is stuck in what."""

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Any

from sluice_megatron.board import COMPUTE, STOP, WRITE, Board, Command
from sluice_megatron.errors import WorkerError
from sluice_megatron.lifeline import Holder
from sluice_megatron.operations import Later, Progress
from sluice_megatron.ranks import Rank

# Of rank 0 when it takes the others down; any but 0 makes torchrun end them.
EXIT_ENDED = 71

# Calls after which ranks must agree: one that failed alone holds other weights than the others.
_CHANGING = ("load", "train", "connect", "send", "offload", "onload")
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.02
_LOOK_SECONDS = 0.5
_NAMED_RANKS = 8
# For a rank to write its stacks, line by line into the log of all.
_DUMP_SECONDS = 0.25
_MEND = "see the stacks in the worker's log; the worker ends: start it again and load the last cut"
_LOG = logging.getLogger("sluice.conductor")


@dataclass(frozen=True)
class Limits:
    """When ranks count as stuck, in seconds.

    ``call`` bounds a whole call. ``after_error``: in one phase after another rank has failed, since no collective
    with that rank can end. ``after_others``: in one phase after another rank has finished. ``last_answer``: from the
    end of the operation to the end of the processes, so that its caller can ask what became of it.
    """

    call: float = 1500.0
    after_error: float = 30.0
    after_others: float = 300.0
    last_answer: float = 3.0


class Conductor:
    """``run`` belongs to one thread; what is left of calls is awaited on another."""

    def __init__(self, board: Board, world_size: int, limits: Limits):
        self._board = board
        self._world_size = world_size
        self._limits = limits
        self._number = 0
        self._doom: WorkerError | None = None
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int], tuple[tuple[int, int], float]] = {}
        self._outcomes: dict[tuple[str, int], dict[int, dict[str, Any]]] = {}
        self._ended_at: dict[tuple[str, int], dict[int, float]] = {}

    def take(self, rank: Rank, holder: Holder) -> None:
        """Rank 0's own part and its ends of the lifelines, before the first call."""
        self._rank = rank
        self._holder = holder

    def lost(self, rank: int, text: str) -> None:
        """A rank has died."""
        self._end(
            WorkerError(
                "internal",
                f"{text}: it was killed, or died of what the worker's log tells",
                "look there, and in the kernel's log for memory; the worker ends: start it again and load the last cut",
                rank,
            )
        )

    def run(self, verb: str, body: bytes, progress: Progress) -> dict[str, Any] | Later:
        """Has every rank do a call; returns rank 0's result, or raises what the first rank to fail told."""
        if self._doom is not None:
            raise self._doom
        number = self._number
        self._number += 1
        self._rank.progress = progress
        progress.ranks = lambda: self._table(COMPUTE, number)
        self._board.post(Command(number, verb, body))
        outcomes = self._watch(COMPUTE, number, verb)
        result = self._rank.results.pop(number, None)
        failed = [outcome for outcome in outcomes if outcome["kind"] == "failed"]
        if failed:
            some_write = any(outcome["kind"] == "rest" for outcome in outcomes)
            raise self._failure(verb, failed, some_write or verb in _CHANGING)
        return Later(lambda later: self._written(number, later)) if result is None else result

    def stop(self, seconds: float) -> bool:
        """Sends the ranks home; returns whether all have left in time."""
        self._board.post(Command(self._number, STOP, b""))
        return self._holder.await_goodbyes(seconds)

    def _written(self, number: int, progress: Progress) -> dict[str, Any]:
        progress.ranks = lambda: self._table(WRITE, number)
        rest = self._rank.rests[number]
        try:
            outcomes = self._watch(WRITE, number, "save")
            failed = [outcome for outcome in outcomes if outcome["kind"] == "failed"]
            if failed:
                rest.abandon()
                raise self._failure("save", failed, False)
            return rest.finish()
        finally:
            # It holds a copy of all that was saved.
            del self._rank.rests[number]

    def _failure(self, verb: str, failed: list[dict[str, Any]], must_agree: bool) -> WorkerError:
        """What the first rank told; ends the ranks where some went on without it."""
        error = WorkerError.from_json(failed[0]["error"])
        if len(failed) == self._world_size:
            return error
        error.rank = failed[0]["rank"] if error.rank is None else error.rank
        if must_agree:
            error = WorkerError(
                error.code,
                f"{error.message}; {self._world_size - len(failed)} of {self._world_size} ranks did not fail, so they "
                f"disagree after {verb} and the worker ends",
                error.mend,
                error.rank,
            )
            self._end(error)
        return error

    def _watch(self, lane: str, number: int, verb: str) -> list[dict[str, Any]]:
        """Waits for all ranks; returns their outcomes in the order in which they came."""
        began = looked = time.monotonic()
        with self._lock:
            # Tables of calls that are over are asked for no more.
            for key in [key for key in self._outcomes if key[0] == lane]:
                del self._outcomes[key], self._ended_at[key]
            outcomes = self._outcomes[lane, number] = {}
            self._ended_at[lane, number] = {}
        pause = _FIRST_PAUSE
        while True:
            if self._doom is not None:
                raise self._doom
            if self._board.ended(lane, number) > len(outcomes):
                self._collect(lane, number)
            if len(outcomes) == self._world_size:
                self._board.forget(lane, number)
                return sorted(outcomes.values(), key=lambda outcome: outcome["order"])
            now = time.monotonic()
            if now - looked > _LOOK_SECONDS:
                looked = now
                error = self._stuck(lane, number, verb, now - began)
                if error is not None:
                    self._end(error)
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 1.2 * pause)

    def _collect(self, lane: str, number: int) -> None:
        outcomes, ended_at = self._outcomes[lane, number], self._ended_at[lane, number]
        for rank in range(self._world_size):
            outcome = None if rank in outcomes else self._board.outcome(lane, number, rank)
            if outcome is not None:
                # In this order: a table is made on other threads.
                ended_at[rank] = time.monotonic()
                outcomes[rank] = outcome

    def _stuck(self, lane: str, number: int, verb: str, seconds: float) -> WorkerError | None:
        """What to end with, if a rank is stuck; its stack is then on its way into the log."""
        limits = self._limits
        outcomes, ended_at = self._outcomes[lane, number], self._ended_at[lane, number]
        table = [entry for entry in self._table(lane, number) if entry["rank"] not in outcomes]
        failed = sorted((o for o in outcomes.values() if o["kind"] == "failed"), key=lambda outcome: outcome["order"])
        # Since when the others have nothing to wait for.
        ends = [ended_at[outcome["rank"]] for outcome in failed or outcomes.values()]
        since_others = time.monotonic() - min(ends, default=time.monotonic())
        limit = limits.after_error if failed else limits.after_others if lane == COMPUTE else limits.call
        stuck = [entry for entry in table if outcomes and min(entry["seconds"], since_others) > limit]
        if seconds > limits.call:
            stuck = stuck or table
        if not stuck:
            return None
        stuck.sort(key=lambda entry: -entry["seconds"])
        for entry in stuck[:_NAMED_RANKS]:
            self._holder.dump(entry["rank"])
            time.sleep(_DUMP_SECONDS)
        where = _named(stuck)
        if failed:
            first = WorkerError.from_json(failed[0]["error"])
            message = f"rank {failed[0]['rank']} failed in {verb}: {first.message}; {where} and cannot go on without it"
            return WorkerError(first.code, message, first.mend or _MEND, failed[0]["rank"])
        if seconds > limits.call:
            message = f"{verb} did not end within {limits.call:g} s: {where}"
        else:
            message = f"{verb} is stuck: {where}, while {len(outcomes)} of {self._world_size} ranks have finished"
        return WorkerError("internal", message, _MEND, stuck[0]["rank"])

    def _table(self, lane: str, number: int) -> list[dict[str, Any]]:
        """{rank, phase, seconds in it} of each rank, to half a second."""
        table = []
        with self._lock:
            outcomes, ended_at = self._outcomes.get((lane, number), {}), self._ended_at.get((lane, number), {})
            now = time.monotonic()
            for rank, (of, count, phase) in enumerate(self._board.phases(lane)):
                first, since = self._seen.get((lane, rank), ((-1, -1), now))
                if first != (of, count):
                    since = now
                    self._seen[lane, rank] = ((of, count), now)
                if rank in outcomes:
                    phase, since = outcomes[rank]["kind"], ended_at[rank]
                elif of != number:
                    phase = "has not begun"
                table.append({"rank": rank, "phase": phase, "seconds": round(now - since, 1)})
        return table

    def _end(self, error: WorkerError) -> None:
        """Fails what runs and ends the processes, once its caller could ask."""
        with self._lock:
            if self._doom is not None:
                return
            self._doom = error
        _LOG.error("the worker ends error=%s", error.message)
        timer = threading.Timer(self._limits.last_answer, _exit)
        timer.daemon = True
        timer.start()


def _named(stuck: list[dict[str, Any]]) -> str:
    named = [f'rank {one["rank"]} is in "{one["phase"]}" since {one["seconds"]:g} s' for one in stuck[:_NAMED_RANKS]]
    more = len(stuck) - len(named)
    return ", ".join(named) + (f" and {more} more ranks are in theirs" if more else "")


def _exit() -> None:
    logging.shutdown()
    os._exit(EXIT_ENDED)
