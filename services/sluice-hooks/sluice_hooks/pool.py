"""A fixed number of worker processes; one that outlives its time or dies is replaced."""

import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

LAST_LINES = 5
MAX_REPLY_BYTES = 64 << 20
MAX_PRINTED_BYTES = 4 << 20


class CallFailed(Exception):
    """A call has no result; `status` is the HTTP status that says whether trying again can help."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class Died(Exception):
    """The process ended during the call."""


class Worker:
    """One process and the pipes to it."""

    def __init__(self, settings: dict[str, Any], start_timeout: float):
        calls_read, calls_write = os.pipe()
        replies_read, replies_write = os.pipe()
        self.errors = tempfile.TemporaryFile("a+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sluice_hooks.worker", str(calls_read), str(replies_write), json.dumps(settings)],
            pass_fds=(calls_read, replies_write),
            stdin=subprocess.DEVNULL,
            stdout=self.errors,
            stderr=self.errors,
            start_new_session=True,  # what a function starts ends with it
        )
        os.close(calls_read)
        os.close(replies_write)
        self.calls = calls_write
        self.replies = replies_read
        self.rest = b""
        try:
            self.read(time.monotonic() + start_timeout)
        except TimeoutError:
            self.kill()
            raise Died(f"the functions were not loaded within {start_timeout:g} s") from None
        except Died:
            self.kill()
            raise

    def call(self, hook: str, body: dict[str, Any], timeout: float) -> dict[str, Any]:
        """The reply; raises TimeoutError or Died."""
        end = time.monotonic() + timeout
        if self.errors.seek(0, os.SEEK_END) > MAX_PRINTED_BYTES:
            self.errors.truncate(0)
        try:
            self.write(json.dumps({"hook": hook, "body": body}).encode() + b"\n", end)
        except BrokenPipeError:
            raise Died(self.last_words()) from None
        return json.loads(self.read(end))

    def write(self, data: bytes, end: float) -> None:
        os.set_blocking(self.calls, False)
        while data:
            self.wait(self.calls, selectors.EVENT_WRITE, end)
            data = data[os.write(self.calls, data[: 1 << 16]) :]

    def read(self, end: float) -> bytes:
        pieces = [self.rest]
        size = len(self.rest)
        while b"\n" not in pieces[-1]:
            self.wait(self.replies, selectors.EVENT_READ, end)
            piece = os.read(self.replies, 1 << 16)
            size += len(piece)
            if not piece:
                raise Died(self.last_words())
            if size > MAX_REPLY_BYTES:
                raise Died(f"it returned more than {MAX_REPLY_BYTES} bytes")
            pieces.append(piece)
        line, self.rest = b"".join(pieces).split(b"\n", 1)
        return line

    @staticmethod
    def wait(descriptor: int, event: int, end: float) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            if not selector.select(max(0.0, end - time.monotonic())):
                raise TimeoutError

    def last_words(self) -> str:
        try:
            code = self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            code = "none"
        self.errors.seek(max(0, self.errors.seek(0, os.SEEK_END) - 4096))
        lines = self.errors.read().decode(errors="replace").splitlines()[-LAST_LINES:]
        return f"exit code {code}; " + " | ".join(lines)

    def kill(self) -> None:
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for descriptor in (self.calls, self.replies):
            os.close(descriptor)
        self.errors.close()


class Pool:
    """Hands calls to idle workers. A call waits for one at most as long as it may take itself."""

    def __init__(self, settings: dict[str, Any], workers: int, timeout: float, start_timeout: float):
        self.settings = settings
        self.timeout = timeout
        self.start_timeout = start_timeout
        self.idle: queue.Queue[Worker | None] = queue.Queue()
        self.closed = threading.Event()
        self.replaced = 0
        self.idle.put(Worker(settings, start_timeout))  # a function that cannot be loaded stops us here
        for _ in range(workers - 1):
            self.idle.put(None)

    def call(self, hook: str, body: dict[str, Any]) -> Any:
        try:
            worker = self.idle.get(timeout=self.timeout)
        except queue.Empty:
            raise CallFailed(503, f"all workers were busy for {self.timeout:g} s; give more --workers") from None
        try:
            worker = worker or Worker(self.settings, self.start_timeout)
            reply = worker.call(hook, body, self.timeout)
        except TimeoutError:
            worker = self.replace(worker)
            raise CallFailed(422, f"{self.path(hook)} did not end within {self.timeout:g} s; it was killed") from None
        except Died as death:
            worker = self.replace(worker)
            raise CallFailed(422, f"the process of {self.path(hook)} died: {death}") from None
        finally:
            self.idle.put(worker)
        if "fault" in reply:
            raise CallFailed(422, f"{self.path(hook)} failed: {reply['fault']} ({' | '.join(reply['where'])})")
        return reply["result"]

    def replace(self, worker: Worker | None) -> None:
        self.replaced += 1
        if worker is not None:
            worker.kill()

    def path(self, hook: str) -> str:
        return self.settings["functions"][hook]

    def close(self) -> None:
        while True:
            try:
                worker = self.idle.get_nowait()
            except queue.Empty:
                return
            if worker is not None:
                worker.kill()
