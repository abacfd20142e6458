"""What every rank does: its main thread runs the verbs of one call after another.

Differs from Megatron's own loop in that no rank decides anything: rank 0 posts calls on a board (see board.py), every
rank runs each call, and rank 0 answers once all have told their outcome (see conductor.py).
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sluice_megatron.board import COMPUTE, STOP, WRITE, Board, Command
from sluice_megatron.errors import error_of
from sluice_megatron.operations import Progress
from sluice_megatron.wire import (
    ConnectRequest,
    ExportRequest,
    ForwardRequest,
    LoadRequest,
    OffloadRequest,
    OnloadRequest,
    SaveRequest,
    SendRequest,
    TrainRequest,
    read_call,
)

_LOG = logging.getLogger("sluice.ranks")


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Rest:
    """What is left of a save when the next call may compute.

    ``write`` runs on a thread of its own on every rank, one rest after another, beside the next calls: it must use no
    collective. ``finish`` runs on rank 0 alone once every rank has written, and gives the call's result; ``abandon``
    instead, if one could not.
    """

    write: Callable[[], None]
    finish: Callable[[], dict[str, Any]]
    abandon: Callable[[], None] = _nothing


class Verbs(Protocol):
    """What the ranks run. Every method but ``standing`` and ``info`` belongs to the main thread of each rank.

    A result is the JSON of the Java record of its name; rank 0's counts. WorkerError tells why there is none.
    """

    def load(self, request: LoadRequest, progress: Progress) -> dict[str, Any]: ...

    def forward(self, request: ForwardRequest) -> dict[str, Any]: ...

    def train(self, request: TrainRequest) -> dict[str, Any]: ...

    def export(self, request: ExportRequest) -> dict[str, Any]: ...

    def save(self, request: SaveRequest, progress: Progress) -> dict[str, Any] | Rest: ...

    def connect(self, request: ConnectRequest) -> dict[str, Any]: ...

    def send(self, request: SendRequest) -> dict[str, Any]: ...

    def offload(self, request: OffloadRequest) -> dict[str, Any]: ...

    def onload(self, request: OnloadRequest) -> dict[str, Any]: ...

    def standing(self) -> dict[str, Any]:
        """{runId, step, batchSha256, weightVersion}; step and weightVersion are -1 where there is none. Any thread."""
        ...

    def info(self) -> dict[str, Any]:
        """{backend, version, capabilities, deterministic}. Any thread."""
        ...


class Rank:
    """This process's part of each call.

    On rank 0 (``leads``) ``progress`` is that of the call that runs, and ``results`` and ``rests`` hold by number
    what is answered; whoever answers takes it out.
    """

    def __init__(self, board: Board, verbs: Verbs, leads: bool):
        global _here
        self.progress = Progress()
        self.results: dict[int, dict[str, Any]] = {}
        self.rests: dict[int, Rest] = {}
        self._leads = leads
        self._verbs = verbs
        self._board = board
        self._commands = board.another()
        self._writing: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lane = threading.local()
        self._spoken = 0
        self._speaking = threading.Lock()
        threading.Thread(target=self._write, name="worker-write", daemon=True).start()
        _here = self

    def serve(self) -> None:
        """Runs calls until rank 0 says that there are no more. Belongs to the main thread."""
        number = 0
        while True:
            command = self._commands.await_command(number)
            if command.verb == STOP:
                return
            self._compute(command)
            number += 1

    def say(self, text: str) -> None:
        """Tells what the calling thread's call is in now."""
        lane, number, verb = getattr(self._lane, "now", (None, -1, ""))
        if lane is None:
            return  # a thread that runs no call
        with self._speaking:
            self._spoken += 1
            self._board.say(lane, number, self._spoken, f"{verb}: {text}" if text else verb)

    def _compute(self, command: Command) -> None:
        self._lane.now = (COMPUTE, command.number, command.verb)
        self.say("")
        outcome: dict[str, Any] = {"kind": "done"}
        try:
            made = self._do(command)
            if isinstance(made, Rest):
                outcome = {"kind": "rest"}
                self.rests[command.number] = made
            elif self._leads:
                self.results[command.number] = made
        # SystemExit: Megatron's way of refusing arguments.
        except (Exception, SystemExit) as thrown:
            outcome = _failed(command.verb, thrown)
        self._board.end(COMPUTE, command.number, outcome)
        if outcome["kind"] == "rest":
            self._writing.put(command.number)

    def _do(self, command: Command) -> dict[str, Any] | Rest:
        call = read_call(command.verb, command.body)
        method = getattr(self._verbs, command.verb)
        return method(call, self.progress) if command.verb in ("load", "save") else method(call)

    def _write(self) -> None:
        while True:
            number = self._writing.get()
            self._lane.now = (WRITE, number, "save")
            self.say("writing")
            outcome: dict[str, Any] = {"kind": "done"}
            try:
                self.rests[number].write()
            except Exception as thrown:
                outcome = _failed("save", thrown)
            if not self._leads:
                # It holds a copy of all that was saved.
                del self.rests[number]
            self._board.end(WRITE, number, outcome)


def _failed(verb: str, thrown: BaseException) -> dict[str, Any]:
    error = error_of(thrown)
    _LOG.warning("%s failed error=%s", verb, error.message, exc_info=None if error is thrown else thrown)
    return {"kind": "failed", "error": error.to_json()}


_here: Rank | None = None


def phase(text: str) -> None:
    """Tells what this rank is in, such as ``optimizer step 1, micro-batch 3 of 8``: callers see it, and whoever looks
    for a rank that is stuck. Cheap enough for every micro-batch; does nothing outside of a call.
    """
    if _here is not None:
        _here.say(text)
