"""Starts a rank of the training worker.

python -m torch.distributed.run --nproc-per-node 8 -m sluice_megatron --port 7000 --data-root /data

Rank 0 listens; the trainer adds --host, --port, --data-root and --allow-root itself. Without torchrun it is one rank
alone.
"""

import argparse
import ctypes
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sluice_megatron.board import MEET_SECONDS, Place, host_board, join_board, listen
from sluice_megatron.conductor import Conductor, Limits
from sluice_megatron.front import Front, Listening
from sluice_megatron.lease import seconds_of
from sluice_megatron.lifeline import DUMP_SIGNAL, Held, Holder
from sluice_megatron.paths import AllowedRoots
from sluice_megatron.ranks import Rank, Verbs

TOKEN = "SLUICE_WORKER_TOKEN"

# torchrun kills what is left 30 s after its own SIGTERM.
_TERM_PATIENCE = 20.0
_TERM_GRACE = 25.0
_DESTROY_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_LOG = logging.getLogger("sluice")


def main(
    arguments: list[str] | None = None,
    worker: Callable[[AllowedRoots], Verbs] | None = None,
    limits: Limits | None = None,
) -> int:
    """Serves until the end; returns the exit status. ``worker`` makes what runs the verbs."""
    options = _options(arguments)
    place = Place.of_environment()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format=f"%(asctime)s %(levelname)s rank={place.rank} %(name)s %(message)s",
    )
    token = os.environ.get(TOKEN)
    if token is None and not options.host.startswith("127."):
        _LOG.error("--host %s can be reached from outside but %s is not set; set it to a secret", options.host, TOKEN)
        return 2
    faulthandler.enable()
    faulthandler.register(DUMP_SIGNAL, all_threads=True)
    if place.under_torchrun:
        _die_with_parent()
    options.data_root.mkdir(parents=True, exist_ok=True)
    roots = AllowedRoots([options.data_root, *options.allow_root])
    if worker is None:
        from sluice_megatron.worker import Worker

        worker = Worker
    if place.rank > 0:
        return _follow(place, roots, worker)
    limits = replace(limits or Limits(), **({} if options.call_deadline is None else {"call": options.call_deadline}))
    listening = Listening(options.host, options.port, token, options.lease, options.state_file)
    return _lead(place, roots, worker, limits, listening)


def _lead(
    place: Place, roots: AllowedRoots, worker: Callable[[AllowedRoots], Verbs], limits: Limits, listening: Listening
) -> int:
    """Rank 0."""
    listener = listen(place.host)
    board, meeting = host_board(place, listener.getsockname()[1])
    conductor = Conductor(board.another(), place.world_size, limits)
    holder = Holder(listener, meeting.secret, place.world_size, conductor.lost)
    missing = holder.await_all(MEET_SECONDS)
    if missing:
        _LOG.error("ranks %s did not come within %g s", missing, MEET_SECONDS)
        return 1
    verbs = worker(roots)
    rank = Rank(board, verbs, leads=True)
    conductor.take(rank, holder)
    front = Front(listening, conductor, verbs, place.world_size)
    _on_stop_signals(lambda: front.stop(_TERM_PATIENCE))
    try:
        await_end = front.start()
    except OSError as e:
        _LOG.error("%s", e)
        return 2
    rank.serve()
    await_end()
    return 0


def _follow(place: Place, roots: AllowedRoots, worker: Callable[[AllowedRoots], Verbs]) -> int:
    """Any other rank: ends when rank 0 says so or is gone."""
    board, meeting = join_board(place)
    held = Held(place, meeting.lifeline_port, meeting.secret)
    # torchrun signals all ranks at once; rank 0 lets what is running end first.
    _on_stop_signals(lambda: _later(_TERM_GRACE, 128 + signal.SIGTERM))
    Rank(board, worker(roots), leads=False).serve()
    held.leave()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("sluice_megatron", description="Trains on Megatron-Core, driven over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--state-file", type=Path, help="where to write {pid, port, startTime} once it listens")
    parser.add_argument("--data-root", type=Path, required=True, help="folder that calls may name paths in")
    parser.add_argument(
        "--allow-root", type=Path, action="append", default=[], help="a further such folder; repeatable"
    )
    parser.add_argument(
        "--lease", type=_duration, default="60s", help="stops when no call came for so long (%(default)s)"
    )
    parser.add_argument(
        "--call-deadline",
        type=_duration,
        help="a call that takes longer is stuck, and the worker ends (25m; keep it below the trainer's own)",
    )
    return parser.parse_args(arguments)


def _duration(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from None


def _die_with_parent() -> None:
    """torchrun gives each rank a session of its own, so that nothing else ends them when it is killed.

    One that was killed before this line leaves nobody at the store where ranks meet, which ends them too.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _on_stop_signals(act: Callable[[], None]) -> None:
    """Acts on SIGTERM and SIGINT at once: Python's own handlers wait for the main thread, which may wait in a store."""
    heard, woken = socket.socketpair()
    woken.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)

    def hear() -> None:
        with woken:  # closed with this thread: never
            while heard.recv(1)[0] not in (signal.SIGTERM, signal.SIGINT):
                pass
            act()
            threading.Event().wait()

    threading.Thread(target=hear, name="signals", daemon=True).start()


def _later(seconds: float, status: int) -> None:
    timer = threading.Timer(seconds, os._exit, (status,))
    timer.daemon = True
    timer.start()


def run(worker: Callable[[AllowedRoots], Verbs] | None = None, limits: Limits | None = None) -> None:
    """Runs ``main`` and ends the process, whatever threads and communicators are left."""
    status = 1
    try:
        status = main(worker=worker, limits=limits)
        import torch.distributed

        if torch.distributed.is_initialized():
            _later(_DESTROY_SECONDS, status)
            torch.distributed.destroy_process_group()
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else 1
    except Exception:
        _LOG.exception("the rank ends")
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
