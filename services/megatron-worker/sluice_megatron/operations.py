"""The calls' work, one after another, and what was answered to each."""

import json
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sluice_megatron.errors import WorkerError, error_of
from sluice_megatron.wire import Call

# Answers kept; a caller repeats its last few calls at most.
MAX_REMEMBERED = 256
# Of their results: log-probabilities of a large batch are some MB.
MAX_REMEMBERED_BYTES = 256 << 20
# Calls that may wait for their turn. A trainer sends one at a time.
MAX_WAITING = 8

_LOG = logging.getLogger("sluice.operations")


class Progress:
    """How far a call's work is; called with what is done and the total.

    ``ranks`` gives {rank, phase, seconds} of each rank, once ranks work on it.
    """

    def __init__(self) -> None:
        self.share = 0.0
        self.ranks: Callable[[], list[dict[str, Any]]] | None = None

    def __call__(self, done: float, total: float) -> None:
        self.share = min(1.0, done / total) if total > 0 else 0.0


@dataclass(frozen=True)
class Later:
    """What is left of a call's work when the next call may compute: it runs on the thread that waits for writers."""

    work: Callable[[Progress], dict[str, Any]]


Work = Callable[[Progress], dict[str, Any] | Later]


class _Running:
    """One operation; its end is written once."""

    def __init__(self, call: Call):
        self.call = call
        self.progress = Progress()
        # It is finished, or others may compute.
        self.computed = threading.Event()
        self.result: bytes | None = None
        self.error: WorkerError | None = None

    def is_over(self) -> bool:
        return self.result is not None or self.error is not None

    def body(self) -> tuple[bool, bytes]:
        """Whether it is still running, and the Operation as JSON."""
        result, error = self.result, self.error
        state = "done" if result is not None else "failed" if error is not None else "running"
        told: dict[str, Any] = {
            "operationId": self.call.operation_id,
            "state": state,
            "progress": 1.0 if state == "done" else self.progress.share,
            "error": None if error is None else error.to_json(),
            "ranks": None if state == "done" or self.progress.ranks is None else self.progress.ranks(),
        }
        # A result was made JSON once, when it came: it may be long and asked for often.
        return state == "running", json.dumps(told).encode()[:-1] + b', "result": ' + (result or b"null") + b"}"


class Operations:
    """Remembers what it answered, so that a repeated call starts nothing, and the highest epoch, so that a replaced
    caller is refused. Safe for many threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._by_id: OrderedDict[str, _Running] = OrderedDict()
        self._epoch = -1
        self._unfinished = 0
        self._closed: str | None = None
        self._computing: queue.SimpleQueue[tuple[_Running, Work]] = queue.SimpleQueue()
        self._writing: queue.SimpleQueue[tuple[_Running, Work]] = queue.SimpleQueue()
        for name, work in (("operations", self._computing), ("operations-later", self._writing)):
            threading.Thread(target=self._serve, args=(work,), name=name, daemon=True).start()

    @property
    def epoch(self) -> int:
        """The highest that a call has shown; -1 before the first."""
        return self._epoch

    def is_working(self) -> bool:
        """Whether something is running or waiting to."""
        with self._lock:
            return self._unfinished > 0

    def admit(self, call: Call) -> None:
        """Refuses callers that have been replaced (stale_epoch)."""
        with self._lock:
            if call.epoch < self._epoch:
                raise WorkerError(
                    "stale_epoch",
                    f"epoch {call.epoch} has been replaced by epoch {self._epoch}",
                    "stop: another trainer owns this worker",
                )
            self._epoch = call.epoch

    def start(self, call: Call, work: Work, patience: float) -> tuple[bool, bytes]:
        """Starts a call's work, or finds it started, and waits ``patience`` seconds for its end.

        Returns whether it is still running, and the Operation as JSON. Raises WorkerError if the caller has been
        replaced, the id is another call's, or too much is waiting.
        """
        with self._lock:
            self.admit(call)
            running = self._by_id.get(call.operation_id)
            if running is None:
                running = self._begin(call, work)
            elif running.call.content() != call.content():
                raise WorkerError(
                    "invalid_request",
                    f"operation {call.operation_id} was a different call",
                    "give every piece of work its own id",
                )
        running.computed.wait(patience)
        return running.body()

    def find(self, operation_id: str, patience: float = 0.0) -> bytes | None:
        """The Operation as JSON, once it has ended or ``patience`` seconds have passed; None if it is not known (any more)."""
        with self._lock:
            running = self._by_id.get(operation_id)
        if running is None:
            return None
        running.computed.wait(patience)
        return running.body()[1]

    def close(self, reason: str, patience: float) -> bool:
        """Takes nothing new and waits for what has begun; returns whether all of it ended in time."""
        with self._lock:
            self._closed = reason
            return self._lock.wait_for(lambda: self._unfinished == 0, patience)

    def _begin(self, call: Call, work: Work) -> _Running:
        if self._closed is not None:
            raise WorkerError("invalid_request", f"the worker takes no calls: {self._closed}", "start it again")
        if self._unfinished >= MAX_WAITING:
            raise WorkerError(
                "invalid_request", f"{self._unfinished} operations are unfinished", "wait for one of them"
            )
        running = _Running(call)
        self._by_id[call.operation_id] = running
        self._forget_oldest()
        self._unfinished += 1
        self._computing.put((running, work))
        return running

    def _forget_oldest(self) -> None:
        held = sum(len(running.result or b"") for running in self._by_id.values())
        for operation_id, running in list(self._by_id.items()):
            if len(self._by_id) <= MAX_REMEMBERED and held <= MAX_REMEMBERED_BYTES:
                return
            if running.is_over():
                held -= len(running.result or b"")
                del self._by_id[operation_id]

    def _serve(self, waiting: "queue.SimpleQueue[tuple[_Running, Work]]") -> None:
        while True:
            self._run(*waiting.get())

    def _run(self, running: _Running, work: Work) -> None:
        began = time.monotonic()
        result: bytes | None = None
        error: WorkerError | None = None
        try:
            made = work(running.progress)
            if isinstance(made, Later):
                self._writing.put((running, made.work))
                running.computed.set()
                return
            result = json.dumps(made, allow_nan=False).encode()
        except Exception as thrown:
            error = error_of(thrown)
            ours = None if error is thrown else thrown
            _LOG.warning(
                "operation failed operationId=%s error=%s", running.call.operation_id, error.message, exc_info=ours
            )
        if error is not None and running.progress.ranks is not None:
            # Where the ranks were when it failed, not where they are when somebody asks.
            last = running.progress.ranks()
            running.progress.ranks = lambda: last
        with self._lock:
            running.result, running.error = result, error
            self._unfinished -= 1
            self._lock.notify_all()
        running.computed.set()
        _LOG.info("operation ended operationId=%s seconds=%.3f", running.call.operation_id, time.monotonic() - began)
