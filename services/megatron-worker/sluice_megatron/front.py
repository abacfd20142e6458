"""What the worker shows to its trainer: HTTP on rank 0, from the first call to the last."""

import faulthandler
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sluice_megatron.conductor import EXIT_ENDED, Conductor
from sluice_megatron.lease import Lease
from sluice_megatron.operations import Operations
from sluice_megatron.ranks import Verbs
from sluice_megatron.routes import Routes
from sluice_megatron.server import JsonServer, Settings

# No call's body is longer than a few KB; a store takes values of at most 8 MiB.
MAX_BODY_BYTES = 1 << 20
# How long a worker that was told to stop waits for the operation that is running.
LAST_OPERATION_SECONDS = 60.0

_LEASE_CHECK = 0.5
# The call that asked for the stop still waits for its answer.
_LAST_ANSWER = 0.2
_GOODBYE_SECONDS = 10.0
_LOG = logging.getLogger("sluice.front")


@dataclass(frozen=True)
class Listening:
    """Where to listen, with which token, for how long without calls, and where to write {pid, port, startTime}."""

    host: str
    port: int
    token: str | None
    lease_seconds: float
    state_file: Path | None


class Front:
    """Serves until it is told to stop or its trainer is gone, then sends the ranks home."""

    def __init__(self, listening: Listening, conductor: Conductor, verbs: Verbs, world_size: int):
        self._listening = listening
        self._conductor = conductor
        self._verbs = verbs
        self._world_size = world_size
        self._asked = threading.Event()
        self._patience = LAST_OPERATION_SECONDS
        self._reason = "it was told to stop"

    def start(self) -> Callable[[], None]:
        """Binds and serves on threads of its own; returns how to wait for the end. Raises OSError if it cannot bind."""
        operations = Operations()
        lease = Lease(self._listening.lease_seconds)
        routes = Routes(operations, lease, self._conductor.run, self._verbs.standing, self._info, self.stop)
        settings = Settings(self._listening.host, self._listening.port, MAX_BODY_BYTES, self._listening.token)
        server = JsonServer(settings, routes.answer)
        self._announce(server.port)
        thread = threading.Thread(target=self._serve, args=(operations, lease, server), name="front", daemon=True)
        thread.start()
        return thread.join

    def stop(self, patience: float = LAST_OPERATION_SECONDS) -> None:
        """Asks for the end; ``patience`` in seconds is for what is running."""
        self._patience = min(self._patience, patience)
        self._asked.set()

    def _serve(self, operations: Operations, lease: Lease, server: JsonServer) -> None:
        while not self._asked.wait(_LEASE_CHECK):
            if lease.is_over() and not operations.is_working():
                self._reason = f"no call for {lease.seconds:g} s, the trainer is gone"
                break
        _LOG.warning("stopping: %s", self._reason)
        if not operations.close(self._reason, self._patience):
            _LOG.error("gave up on an operation after %g s", self._patience)
            faulthandler.dump_traceback(all_threads=True)
            logging.shutdown()
            os._exit(EXIT_ENDED)
        time.sleep(_LAST_ANSWER)
        server.stop()
        if not self._conductor.stop(_GOODBYE_SECONDS):
            _LOG.error("some ranks did not leave within %g s", _GOODBYE_SECONDS)
            logging.shutdown()
            os._exit(EXIT_ENDED)

    def _info(self) -> dict[str, object]:
        return {"worldSize": self._world_size, **self._verbs.info()}

    def _announce(self, port: int) -> None:
        _LOG.info("training worker listens on http://%s:%d ranks=%d", self._listening.host, port, self._world_size)
        if self._listening.state_file is None:
            return
        target = self._listening.state_file.absolute()
        target.parent.mkdir(parents=True, exist_ok=True)
        state = {"pid": os.getpid(), "port": port, "startTime": _start_time()}
        partial = target.with_name(f"{target.name}.{os.getpid()}.tmp")
        partial.write_text(json.dumps(state))
        partial.replace(target)


def _start_time() -> str:
    """When this process began, as the JDK's ProcessHandle computes it: two processes never share pid and start."""
    with open("/proc/self/stat") as stat:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    with open("/proc/stat") as stat:
        booted = next(int(line.split()[1]) for line in stat if line.startswith("btime "))
    millis = booted * 1000 + ticks * 1000 // os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
