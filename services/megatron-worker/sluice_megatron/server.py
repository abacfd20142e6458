"""A small JSON server over HTTP/1.1: one thread a connection, bodies, times and connections bounded."""

import hmac
import io
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from sluice_megatron.errors import WorkerError, error_of

# For a request to arrive, its head and its body.
REQUEST_SECONDS = 120.0
# A connection without a request may be used again for so long; longer than Java's client keeps one.
IDLE_SECONDS = 120.0
# A reply of which a client takes nothing for so long is given up.
STALL_SECONDS = 60.0
MAX_CONNECTIONS = 64
# Of a body that is refused, read and thrown away, so that its sender reads the refusal instead of a broken pipe.
DISCARDED_BYTES = 256 << 20

_PIECE = 64 << 10
_LOG = logging.getLogger("sluice.http")


@dataclass(frozen=True)
class Request:
    """``method`` in upper case; ``path`` decoded, without the query."""

    method: str
    path: str
    body: bytes


@dataclass(frozen=True)
class Answer:
    """``body`` is JSON, written or to be written."""

    status: int
    body: bytes | dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """``token`` is the bearer token asked of every call; None asks none. Port 0 takes a free one."""

    host: str
    port: int
    body_limit: int
    token: str | None


class JsonServer:
    """Serves from its start until it is stopped; ``handler`` may raise WorkerError."""

    def __init__(self, settings: Settings, handler: Callable[[Request], Answer]):
        """Binds; raises OSError with the address if that fails."""
        try:
            self._server = _Server((settings.host, settings.port), _Connection)
        except OSError as e:
            raise OSError(f"cannot listen on {settings.host}:{settings.port}: {e.strerror or e}") from e
        self._server.settings = settings
        self._server.answer = handler
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="http", daemon=True).start()

    def stop(self) -> None:
        """Takes no more connections; calls in progress lose theirs when the process ends."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    settings: Settings
    answer: Callable[[Request], Answer]

    def __init__(self, *args: Any):
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(*args)

    def server_bind(self) -> None:
        # HTTPServer's own asks a name server for this host's name, which may take long.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            _LOG.warning("connection refused, %d are open", MAX_CONNECTIONS)
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        _LOG.debug("connection failed client=%s", client_address, exc_info=True)


class _Timed(io.RawIOBase):
    """What arrives at a socket; a request that has begun must be whole by its deadline."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._end: float | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = IDLE_SECONDS if self._end is None else self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"a request was not whole after {REQUEST_SECONDS:g} s")
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        if self._end is None:
            self._end = time.monotonic() + REQUEST_SECONDS
        return count

    def is_whole(self) -> None:
        self._end = None


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sluice"
    sys_version = ""
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._arriving = _Timed(self.connection)
        self.rfile = io.BufferedReader(self._arriving)

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except WorkerError as e:
            answer = Answer(e.status, e.to_json())
        self._send(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _serve

    def _answer(self) -> Answer:
        settings = self.server.settings
        length = self._announced()
        if not self._authorised(settings.token):
            self._discard(length)
            raise WorkerError(
                "unauthorised", "the bearer token is missing or another", "give trainer and worker the same token"
            )
        if length > settings.body_limit:
            self._discard(length)
            raise WorkerError(
                "invalid_request",
                f"the body exceeds {settings.body_limit} bytes",
                "send long columns in the batch file",
            )
        body = self.rfile.read(length)
        self._arriving.is_whole()
        if len(body) < length:
            raise ConnectionError(f"a body of {length} bytes ended after {len(body)}")
        try:
            return self.server.answer(Request(self.command, unquote(urlsplit(self.path).path), body))
        except WorkerError:
            raise
        except Exception as e:
            _LOG.exception("a request failed method=%s path=%s", self.command, self.path[:200])
            raise error_of(e) from e

    def _announced(self) -> int:
        """Bytes of the body."""
        lengths = self.headers.get_all("Content-Length") or ["0"]
        if "Transfer-Encoding" in self.headers or len(lengths) > 1 or not lengths[0].strip().isascii():
            lengths = [""]
        text = lengths[0].strip()
        if not text.isdigit() or len(text) > 18:
            # Where the next request begins is not known.
            self.close_connection = True
            raise WorkerError("invalid_request", "the body's length is not given", "send Content-Length, not chunks")
        return int(text)

    def _authorised(self, token: str | None) -> bool:
        given = self.headers.get("Authorization", "")
        return token is None or hmac.compare_digest(given.encode(), f"Bearer {token}".encode())

    def _discard(self, length: int) -> None:
        if length > DISCARDED_BYTES:
            self.close_connection = True
            return
        while length > 0:
            piece = self.rfile.read(min(length, _PIECE))
            if not piece:
                raise ConnectionError("a body ended early")
            length -= len(piece)
        self._arriving.is_whole()

    def _send(self, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.connection.settimeout(STALL_SECONDS)
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            # In pieces, each with the whole time: slow is not stalled.
            for start in range(0, len(body), _PIECE):
                self.wfile.write(memoryview(body)[start : start + _PIECE])

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The library's own refusals, of requests that are not HTTP, in the API's words."""
        self.close_connection = True
        if not hasattr(self, "request_version") or self.request_version == "HTTP/0.9":
            self.request_version = self.protocol_version
        error = WorkerError("invalid_request", f"the request is not understood: {message or code}")
        self._send(Answer(int(code), error.to_json()))

    def log_message(self, format: str, *args: Any) -> None:
        _LOG.debug(format, *args)
