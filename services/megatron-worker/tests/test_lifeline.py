"""Both ends of lifelines, in one process."""

import contextlib
import socket
import threading

from worker_process import until

from sluice_megatron import lifeline
from sluice_megatron.board import Place, listen
from sluice_megatron.lifeline import Held, Holder

PATIENCE = 60.0


def hold():
    listener, lost = listen("127.0.0.1"), []
    holder = Holder(listener, "secret", 2, lambda rank, text: lost.append((rank, text)))
    return holder, listener.getsockname()[1], lost


def test_an_end_that_breaks_without_a_goodbye_is_lost():
    holder, port, lost = hold()
    held = Held(Place(1, 2, "127.0.0.1", False), port, "secret")
    assert holder.await_all(PATIENCE) == []
    held._leaving = True  # or this process would end, as it should

    held._connection.shutdown(socket.SHUT_RDWR)

    until(lambda: lost)
    assert lost[0][0] == 1 and lost[0][1].startswith("rank 1 (process ")


def test_an_end_that_says_goodbye_is_not_lost():
    holder, port, lost = hold()
    held = Held(Place(1, 2, "127.0.0.1", False), port, "secret")
    holder.await_all(PATIENCE)

    held.leave()
    held._connection.shutdown(socket.SHUT_RDWR)

    assert holder.await_goodbyes(PATIENCE)
    assert lost == []


def test_strangers_are_turned_away_and_missing_ranks_are_named():
    holder, port, _ = hold()
    for hello in (b"GET / HTTP/1.1\r\n\r\n", b'{"secret": "wrong", "rank": 1}\n', b"[]\n", b"x" * 5000):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as stranger:
            stranger.sendall(hello)
            with contextlib.suppress(ConnectionResetError):
                assert stranger.recv(1) == b""

    assert holder.await_all(0.1) == [1]


def test_a_rank_on_another_machine_is_asked_for_its_stacks_over_its_lifeline(monkeypatch, capfd):
    holder, port, _ = hold()
    Held(Place(1, 2, "127.0.0.1", False), port, "secret")
    holder.await_all(PATIENCE)
    monkeypatch.setattr(lifeline, "home", lambda: "another machine")
    blocked = threading.Event()
    threading.Thread(target=blocked.wait, name="stuck-in-something", daemon=True).start()
    heard = []

    holder.dump(1)

    until(lambda: heard.append(capfd.readouterr().err) or "test_lifeline.py" in "".join(heard))
    blocked.set()
