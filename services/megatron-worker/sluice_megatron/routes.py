"""The training-worker API: which call answers which path."""

import logging
from collections.abc import Callable
from typing import Any

from sluice_megatron.errors import WorkerError, error_of
from sluice_megatron.lease import Lease
from sluice_megatron.operations import Later, Operations, Progress
from sluice_megatron.server import Answer, Request
from sluice_megatron.wire import Call, read_call

# A call that is done within this many seconds answers at once; a longer one answers 202 and is asked after.
PATIENCE = 5.0
# Who asks after one learns of its end when it comes, not when it asks next; short, since people ask too.
ASKED_PATIENCE = 0.5

_VERBS = {
    "/load": "load",
    "/forward": "forward",
    "/train": "train",
    "/export": "export",
    "/save": "save",
    "/weights/connect": "connect",
    "/weights/send": "send",
    "/offload": "offload",
    "/onload": "onload",
}
_READ = ("/health", "/info")
_OPERATION = "/operations/"
_LOG = logging.getLogger("sluice.routes")

Run = Callable[[str, bytes, Progress], dict[str, Any] | Later]


class Routes:
    """``run`` does a verb's work on all ranks; ``standing`` and ``info`` are rank 0's; ``shutdown`` asks for the
    end."""

    def __init__(
        self,
        operations: Operations,
        lease: Lease,
        run: Run,
        standing: Callable[[], dict[str, Any]],
        info: Callable[[], dict[str, Any]],
        shutdown: Callable[[], None],
    ):
        self._operations = operations
        self._lease = lease
        self._run = run
        self._standing = standing
        self._info = info
        self._shutdown = shutdown

    def answer(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except Exception as thrown:
            error = error_of(thrown)
            if error is not thrown:
                _LOG.exception("call failed path=%s", request.path)
            return Answer(error.status, error.to_json())

    def _answer(self, request: Request) -> Answer:
        path = request.path
        verb = _VERBS.get(path)
        if request.method == "POST" and path == "/shutdown":
            return self._stop(request)
        if request.method == "POST" and verb is not None:
            self._lease.renew()
            call = read_call(verb, request.body)
            return self._start(verb, call, request.body)
        if request.method == "GET" and path in _READ:
            self._lease.renew()
            return Answer(200, self._health() if path == "/health" else self._info())
        if request.method == "GET" and path.startswith(_OPERATION) and "/" not in path[len(_OPERATION) :]:
            self._lease.renew()
            return self._operation(path[len(_OPERATION) :])
        if verb is not None or path in _READ or path == "/shutdown" or path.startswith(_OPERATION):
            raise WorkerError("not_found", f"no {request.method} on {path[:200]}")
        raise WorkerError("not_found", f"there is no {path[:200]}")

    def _start(self, verb: str, call: Call, body: bytes) -> Answer:
        running, operation = self._operations.start(call, lambda progress: self._run(verb, body, progress), PATIENCE)
        return Answer(202 if running else 200, operation)

    def _operation(self, operation_id: str) -> Answer:
        operation = self._operations.find(operation_id, ASKED_PATIENCE)
        if operation is None:
            raise WorkerError(
                "not_found",
                f"operation {operation_id[:200]} is not known here",
                "compare /health with the log: it may never have arrived, or the worker is another process",
            )
        return Answer(200, operation)

    def _health(self) -> dict[str, Any]:
        standing = self._standing()
        idle = "empty" if standing["step"] < 0 else "ready"
        state = "working" if self._operations.is_working() else idle
        return {"state": state, "epoch": self._operations.epoch, **standing}

    def _stop(self, request: Request) -> Answer:
        self._operations.admit(read_call("shutdown", request.body))
        self._shutdown()
        return Answer(202, {"stopping": True})
