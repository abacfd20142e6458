"""A connection from every rank to rank 0 that ends when one of the two does.

The kernel closes it with the process, however that died, and gives it up when the machine is gone. So the ranks fall
together even where each node has a torchrun of its own.
"""

import faulthandler
import json
import logging
import os
import selectors
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from sluice_megatron.board import Place

DUMP_SIGNAL = signal.SIGUSR1
# Of a rank that ends because another did.
EXIT_LOST = 70

_BYE = b"b"
_DUMP = b"d"
_HELLO_SECONDS = 5.0
_CONNECT_SECONDS = 60.0
_LONGEST_HELLO = 1024
# A machine that is gone is noticed after idle + count * interval seconds.
_KEEPALIVE_IDLE = 10
_KEEPALIVE_INTERVAL = 5
_KEEPALIVE_COUNT = 4
_LOG = logging.getLogger("sluice.lifeline")


@dataclass(frozen=True)
class Member:
    """A rank at the other end. ``home`` is the same for processes that can signal each other."""

    rank: int
    pid: int
    home: str
    host: str
    connection: socket.socket


def home() -> str:
    """This machine since its last start, and within it the container."""
    with open("/proc/sys/kernel/random/boot_id") as boot:
        return f"{boot.read().strip()}/{os.readlink('/proc/self/ns/pid')}"


class Holder:
    """Rank 0's ends. ``lost`` is called with the rank and a text when one breaks that has not said goodbye."""

    def __init__(self, listener: socket.socket, secret: str, world_size: int, lost: Callable[[int, str], None]):
        self._listener = listener
        self._secret = secret
        self._lost = lost
        self._members: dict[int, Member] = {}
        self._left: set[int] = set()
        self._changed = threading.Condition()
        self._others = world_size - 1
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def await_all(self, seconds: float) -> list[int]:
        """Waits until every rank holds its end; returns those that do not."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._members) == self._others, seconds)
            return [rank for rank in range(1, self._others + 1) if rank not in self._members]

    def await_goodbyes(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self._left) == self._others, seconds)

    def dump(self, rank: int) -> None:
        """Makes a rank write the stacks of its threads into the log."""
        member = self._members.get(rank)
        if rank == 0:
            # Who calls this holds the interpreter, so no stack changes while it is written.
            faulthandler.dump_traceback(all_threads=True)
        elif member is not None and member.home == home():
            # A signal's handler runs even where the interpreter is stuck.
            os.kill(member.pid, DUMP_SIGNAL)
        elif member is not None:
            member.connection.send(_DUMP)

    def _watch(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.data is None:
                        self._welcome(selector)
                    else:
                        self._hear(selector, key.data)

    def _welcome(self, selector: selectors.BaseSelector) -> None:
        connection, address = self._listener.accept()
        try:
            connection.settimeout(_HELLO_SECONDS)
            hello = json.loads(_line(connection))
            if hello["secret"] != self._secret:
                raise ValueError("the secret is another")
            member = Member(hello["rank"], hello["pid"], hello["home"], hello["host"], connection)
        except (OSError, ValueError, KeyError, TypeError) as e:
            _LOG.warning("a stranger was turned away address=%s reason=%s", address, e)
            connection.close()
            return
        _keep_alive(connection)
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_READ, member)
        with self._changed:
            self._members[member.rank] = member
            self._changed.notify_all()

    def _hear(self, selector: selectors.BaseSelector, member: Member) -> None:
        try:
            heard = member.connection.recv(16)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if heard == _BYE:
            with self._changed:
                self._left.add(member.rank)
                self._changed.notify_all()
        elif not heard:
            selector.unregister(member.connection)
            if member.rank not in self._left:
                self._lost(member.rank, f"rank {member.rank} (process {member.pid} on {member.host}) is gone")


class Held:
    """The end of any other rank: when it breaks, this process ends."""

    def __init__(self, place: Place, port: int, secret: str):
        self._leaving = False
        self._connection = socket.create_connection((place.host, port), _CONNECT_SECONDS)
        hello = {
            "secret": secret,
            "rank": place.rank,
            "pid": os.getpid(),
            "home": home(),
            "host": socket.gethostname(),
        }
        self._connection.sendall(json.dumps(hello).encode() + b"\n")
        _keep_alive(self._connection)
        threading.Thread(target=self._watch, name="lifeline", daemon=True).start()

    def leave(self) -> None:
        """Says goodbye: from now on each end may break."""
        self._leaving = True
        self._connection.send(_BYE)

    def _watch(self) -> None:
        while True:
            try:
                heard = self._connection.recv(1)
            except OSError:
                heard = b""
            if heard == _DUMP:
                faulthandler.dump_traceback(all_threads=True)
            elif not heard:
                if not self._leaving:
                    _LOG.error("rank 0 is gone: ending")
                    logging.shutdown()
                    os._exit(EXIT_LOST)
                return


def _line(connection: socket.socket) -> bytes:
    text = b""
    while not text.endswith(b"\n"):
        piece = connection.recv(_LONGEST_HELLO)
        if not piece or len(text) > _LONGEST_HELLO:
            raise ValueError("no hello came")
        text += piece
    return text


def _keep_alive(connection: socket.socket) -> None:
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_INTERVAL)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_COUNT)
