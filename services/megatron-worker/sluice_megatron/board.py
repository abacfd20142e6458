"""What ranks tell each other outside of collectives: calls, outcomes, and what each is doing.

A TCPStore of its own. Idle ranks wait in it, so no collective is pending while nothing is to be done (NCCL would use
a GPU's time for it, and would give up after its timeout).
"""

import json
import logging
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from torch.distributed import PrefixStore, TCPStore, rendezvous

# What a rank may have two of: a call's computing, and what is left of an earlier one to write.
COMPUTE = "compute"
WRITE = "write"

STOP = "stop"

# For all ranks to be there; images are pulled and modules imported in it.
MEET_SECONDS = 600.0
# Waiting for a next call has no bound: a rank whose rank 0 is gone learns it from its lifeline.
_FOREVER = timedelta(days=3650)
_LONGEST_PHASE = 200
_LOG = logging.getLogger("sluice.board")


@dataclass(frozen=True)
class Place:
    """Which rank this process is, and how to find rank 0."""

    rank: int
    world_size: int
    host: str
    under_torchrun: bool

    @staticmethod
    def of_environment() -> "Place":
        """As torchrun says it; without torchrun one rank alone."""
        environment = os.environ
        alone = "RANK" not in environment
        return Place(
            rank=int(environment.get("RANK", "0")),
            world_size=int(environment.get("WORLD_SIZE", "1")),
            host="127.0.0.1" if alone else environment.get("MASTER_ADDR", "127.0.0.1"),
            under_torchrun="TORCHELASTIC_RUN_ID" in environment,
        )


@dataclass(frozen=True)
class Command:
    """The ``number``-th call of all: a verb and the body that the caller sent, or the verb ``stop``."""

    number: int
    verb: str
    body: bytes


@dataclass(frozen=True)
class Meeting:
    """Where rank 0 can be reached, besides its HTTP: its board and its lifeline, with the word that opens the
    latter."""

    board_port: int
    lifeline_port: int
    secret: str


class Board:
    """One connection to the store. Safe for many threads; a thread that waits needs a board of its own
    (``another``)."""

    def __init__(self, store: TCPStore, place: Place):
        self._store = store
        self._place = place

    def another(self) -> "Board":
        return Board(self._store.clone(), self._place)

    def post(self, command: Command) -> None:
        self._store.set(f"command/{command.number}", command.verb.encode() + b"\n" + command.body)

    def await_command(self, number: int) -> Command:
        """Waits for the next call, however long."""
        self._store.wait([f"command/{number}"], _FOREVER)
        verb, _, body = self._store.get(f"command/{number}").partition(b"\n")
        return Command(number, verb.decode(), body)

    def say(self, lane: str, number: int, count: int, phase: str) -> None:
        """This rank's phase; ``count`` tells a phase from an equal one before it."""
        self._store.set(_phase_key(lane, self._place.rank), json.dumps([number, count, phase[:_LONGEST_PHASE]]))

    def phases(self, lane: str) -> list[tuple[int, int, str]]:
        """(number, count, phase) of each rank."""
        keys = [_phase_key(lane, rank) for rank in range(self._place.world_size)]
        return [tuple(json.loads(value)) for value in self._store.multi_get(keys)]

    def clear_phases(self) -> None:
        for lane in (COMPUTE, WRITE):
            for rank in range(self._place.world_size):
                self._store.set(_phase_key(lane, rank), json.dumps([-1, 0, ""]))

    def end(self, lane: str, number: int, outcome: dict[str, Any]) -> None:
        """This rank's outcome of a call. A result is not in it: it stays in rank 0's memory, however long it is."""
        order = self._store.add(f"{lane}/{number}/order", 1)
        value = json.dumps({"rank": self._place.rank, "order": order, **outcome})
        self._store.set(f"{lane}/{number}/outcome/{self._place.rank}", value)
        self._store.add(f"{lane}/{number}/ended", 1)

    def ended(self, lane: str, number: int) -> int:
        """How many ranks have ended."""
        return self._store.add(f"{lane}/{number}/ended", 0)

    def outcome(self, lane: str, number: int, rank: int) -> dict[str, Any] | None:
        key = f"{lane}/{number}/outcome/{rank}"
        return json.loads(self._store.get(key)) if self._store.check([key]) else None

    def forget(self, lane: str, number: int) -> None:
        """Frees what a call has left, once all ranks have ended."""
        keys = [f"{lane}/{number}/{name}" for name in ("order", "ended")]
        keys += [f"{lane}/{number}/outcome/{rank}" for rank in range(self._place.world_size)]
        for key in keys + ([f"command/{number}"] if lane == COMPUTE else []):
            self._store.delete_key(key)


def _phase_key(lane: str, rank: int) -> str:
    return f"phase/{lane}/{rank}"


def listen(host: str) -> socket.socket:
    """A listening socket on a free port: of that address where it is this machine's, else of all."""
    try:
        return socket.create_server((host, 0), backlog=512)
    except OSError:
        # MASTER_ADDR may be a name that leads here by way of something else, such as a Kubernetes service.
        return socket.create_server(("", 0), backlog=512)


def host_board(place: Place, lifeline_port: int) -> tuple[Board, Meeting]:
    """Rank 0: makes the store and tells the others where it is."""
    meeting_point = _meeting_point(place)
    listener = listen(place.host)
    port = listener.getsockname()[1]
    store = TCPStore(
        place.host, port, is_master=True, wait_for_workers=False, timeout=_FOREVER, master_listen_fd=listener.detach()
    )
    board = Board(store, place)
    board.clear_phases()
    meeting = Meeting(port, lifeline_port, secrets.token_hex(16))
    meeting_point.set("meeting", json.dumps([meeting.board_port, meeting.lifeline_port, meeting.secret]))
    return board, meeting


def join_board(place: Place) -> tuple[Board, Meeting]:
    """Any other rank."""
    meeting_point = _meeting_point(place)
    meeting = Meeting(*json.loads(meeting_point.get("meeting")))
    store = TCPStore(place.host, meeting.board_port, is_master=False, wait_for_workers=False, timeout=_FOREVER)
    return Board(store, place), meeting


def _meeting_point(place: Place) -> PrefixStore:
    """torchrun's store, the one that process groups are made from too."""
    if "RANK" not in os.environ:
        _stand_alone()
    store, _, _ = next(rendezvous("env://", timeout=timedelta(seconds=MEET_SECONDS)))
    # A torchrun that restarts its ranks keeps its store.
    return PrefixStore(f"sluice/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def _stand_alone() -> None:
    """Says what torchrun would, so that the model's process groups can be made without it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ.update(
        RANK="0", WORLD_SIZE="1", LOCAL_RANK="0", LOCAL_WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )
