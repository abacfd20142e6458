"""SGLang engines over HTTP: one call to all of them at once, and what each refused.

Calls go straight to the addresses, whatever proxy the environment names. Fields and answers are those of SGLang
0.5.15 (managers/io_struct.py and entrypoints/http_server.py there).
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

TOKEN = "SLUICE_ENGINE_TOKEN"
_MOST_ANSWER_BYTES = 4 << 20
_LONGEST_TOLD = 500
# Past the deadline, for the calls themselves to say who was late.
_GRACE_SECONDS = 2.0


class EngineRefusal(Exception):
    """One engine's answer, or its silence, in words that name it."""


class Engines:
    """Addresses in the caller's order; every call must have answered by ``deadline``, a time of time.monotonic."""

    def __init__(self, addresses: tuple[str, ...], deadline: float):
        self.addresses = addresses
        self._deadline = deadline
        self._threads = ThreadPoolExecutor(len(addresses), "engine")

    def post(self, path: str, bodies: list[dict[str, Any]]) -> list[Future]:
        """Starts a call with one body for each engine; each future ends with the answer or an EngineRefusal."""
        return [
            self._threads.submit(self._call, "POST", address, path, json.dumps(body).encode())
            for address, body in zip(self.addresses, bodies, strict=True)
        ]

    def get(self, path: str) -> list[Future]:
        return [self._threads.submit(self._call, "GET", address, path, None) for address in self.addresses]

    def await_all(self, calls: list[Future]) -> list[str]:
        """Waits until all calls have ended or one has failed; returns what the failed ones said."""
        left = max(0.0, self._deadline - time.monotonic()) + _GRACE_SECONDS
        done, waiting = concurrent.futures.wait(calls, left, concurrent.futures.FIRST_EXCEPTION)
        failed = [str(call.exception()) for call in calls if call in done and call.exception() is not None]
        if waiting and not failed:
            return [f"{len(waiting)} of {len(calls)} calls did not end in time"]
        return failed

    def close(self):
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _call(self, method: str, address: str, path: str, body: bytes | None) -> dict[str, Any]:
        url = urlsplit(address)
        make = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = make(url.hostname or "", url.port, timeout=max(0.001, self._deadline - time.monotonic()))
        headers = {"Content-Type": "application/json"}
        if os.environ.get(TOKEN):
            headers["Authorization"] = f"Bearer {os.environ[TOKEN]}"
        with contextlib.closing(connection):
            try:
                connection.request(method, url.path.rstrip("/") + path, body, headers)
                reply = connection.getresponse()
                content = reply.read(_MOST_ANSWER_BYTES)
            except TimeoutError:
                raise EngineRefusal(f"{address} did not answer {path} in time") from None
            except (OSError, http.client.HTTPException) as e:
                raise EngineRefusal(f"{address} cannot be asked {path}: {e!r:.200}") from None
        if reply.status in (401, 403):
            raise EngineRefusal(f"{address} refuses the token of {TOKEN} with status {reply.status}")
        try:
            told = json.loads(content)
        except ValueError:
            told = None
        if reply.status != 200 or not isinstance(told, dict) or told.get("success") is False:
            message = told.get("message", told) if isinstance(told, dict) else content[:_LONGEST_TOLD].decode("latin-1")
            raise EngineRefusal(f"{address} answered {path} with {reply.status}: {str(message)[:_LONGEST_TOLD]}")
        return told
