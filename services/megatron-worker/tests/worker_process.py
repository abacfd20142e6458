"""Starts the worker's real processes and talks to them as a trainer does."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
TOKEN = "a-token-of-tests"
# Far more than anything takes: a slow machine fails no test.
PATIENCE = 300.0


class WorkerProcess:
    def __init__(
        self,
        folder: Path,
        *flags: str,
        ranks: int | None = 2,
        token: str | None = TOKEN,
        meeting: tuple[str, ...] = ("--standalone", "--local-addr", "127.0.0.1"),
        program: tuple[str, ...] = (str(HERE / "small_worker.py"),),
        **variables: str,
    ):
        """``ranks`` None starts it without torchrun; ``meeting`` says how torchruns find each other: standalone takes a
        free port. ``variables`` go into its environment.
        """
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        self.state_file = folder / "run" / "worker.json"
        torchrun = ["-m", "torch.distributed.run", *meeting, "--nproc-per-node", str(ranks)]
        launcher = [] if ranks is None else torchrun
        command = [sys.executable, *launcher, *program, "--data-root", str(self.data)]
        environment = {key: value for key, value in os.environ.items() if key != "SLUICE_WORKER_TOKEN"}
        environment |= {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **variables}
        if token is not None:
            environment["SLUICE_WORKER_TOKEN"] = token
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--state-file", str(self.state_file), *flags],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.port = 0
        self.pids: list[int] = [self.process.pid]

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in [*self.pids, *descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def await_listening(self) -> "WorkerProcess":
        until(lambda: self.state_file.exists() or self.process.poll() is not None)
        assert self.state_file.exists(), self.said()
        self.port = json.loads(self.state_file.read_text())["port"]
        self.pids = [self.process.pid, *descendants(self.process.pid)]
        return self

    def rank_pids(self) -> list[int]:
        """By rank."""
        by_rank = {}
        for pid in descendants(self.process.pid):
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            ranks = [int(entry[5:]) for entry in environment if entry.startswith(b"RANK=")]
            if ranks:
                by_rank[ranks[0]] = pid
        return [by_rank[rank] for rank in sorted(by_rank)]

    def call(self, method: str, path: str, body: object = None, token: str | None = TOKEN) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with contextlib.closing(connection):
            try:
                connection.request(method, path, sent, headers)
                reply = connection.getresponse()
                return reply.status, json.loads(reply.read())
            except (http.client.HTTPException, OSError) as e:
                # Tests that expect it look at its kind; to all others it says why.
                e.add_note(f"exit status {self.process.poll()}; the worker said: {self.said()[-3000:]}")
                raise

    def post(self, verb: str, operation_id: str, **fields: object) -> tuple[int, dict]:
        return self.call("POST", "/" + verb, {"epoch": 1, "operationId": operation_id, **fields})

    def load(self, operation_id: str, *args: str, **fields: object) -> tuple[int, dict]:
        sent = {"runId": "run", "checkpoint": str(self.data), "hfConfig": "/h", "args": args}
        return self.post("load", operation_id, **{**sent, **fields})

    def train(self, step: int, what: str) -> tuple[int, dict]:
        loss = {"algorithm": "grpo", "clipLow": 0.2, "clipHigh": 0.28, "learningRate": 1e-6}
        return self.post("train", f"train-{step}", step=step, batch=what, model="policy", loss=loss)

    def await_end(self, operation_id: str) -> dict:
        """The operation once it is over."""
        last: list[dict] = []

        def over() -> bool:
            last[:] = [self.call("GET", f"/operations/{operation_id}")[1]]
            return last[0]["state"] != "running"

        until(over)
        return last[0]

    def await_exit(self) -> int:
        """The exit status, once no process of it is left."""
        status = self.process.wait(PATIENCE)
        until(lambda: not any(is_alive(pid) for pid in self.pids))
        return status

    def said(self) -> str:
        return self.log.read_text(errors="replace")


def until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.05)


def descendants(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [one for child in map(int, children) for one in (child, *descendants(child))]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
