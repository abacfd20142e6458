"""How the worker's processes end, whatever happens to one of them: together, with a reason, and with none left."""

import os
import signal
import socket

import pytest
from worker_process import WorkerProcess, descendants, is_alive


@pytest.fixture
def start(tmp_path):
    started = []

    def started_with(*flags, **options):
        started.append(WorkerProcess(tmp_path / str(len(started)), *flags, **options))
        return started[-1]

    yield started_with
    for process in started:
        process.__exit__()


def test_a_rank_that_is_killed_fails_the_call_and_takes_all_others_down(start):
    worker = start().await_listening()
    assert worker.load("load")[0] == 200
    os.kill(worker.rank_pids()[1], signal.SIGSTOP)  # so that the call is running when it is killed
    _, running = worker.train(1, "none")
    assert running["state"] == "running"

    os.kill(worker.rank_pids()[1], signal.SIGKILL)

    error = worker.await_end("train-1")["error"]
    assert (error["code"], error["rank"]) == ("internal", 1)
    assert "is gone: it was killed" in error["message"]
    assert worker.await_exit() != 0


def test_a_rank_that_fails_alone_ends_the_rank_that_waits_for_it_and_says_where_it_waited(start):
    worker = start().await_listening()
    worker.load("load")

    worker.train(1, "1:oom")

    operation = worker.await_end("train-1")
    assert operation["error"]["code"] == "out_of_memory"
    assert operation["error"]["rank"] == 1
    assert 'rank 0 is in "train: optimizer step 0, micro-batch 3 of 3"' in operation["error"]["message"]
    assert [entry["phase"] for entry in operation["ranks"]] == [
        "train: optimizer step 0, micro-batch 3 of 3",
        "failed",
    ]
    assert worker.await_exit() != 0
    # faulthandler wrote where rank 0 waits.
    assert "in all_reduce" in worker.said()


def test_a_rank_that_is_stuck_is_named_with_its_phase_at_the_deadline_of_the_call(start):
    worker = start("--call-deadline", "3s").await_listening()
    worker.load("load")

    worker.train(1, "1:sleep")

    error = worker.await_end("train-1")["error"]
    assert error["message"].startswith("train did not end within 3 s: ")
    assert 'rank 1 is in "train: asleep"' in error["message"]
    assert 'rank 0 is in "train: optimizer step 0, micro-batch 3 of 3"' in error["message"]
    assert worker.await_exit() != 0
    assert "small_worker.py" in worker.said() and "in _act" in worker.said()


def test_a_rank_that_goes_on_when_the_others_have_finished_is_named(start):
    worker = start().await_listening()
    worker.load("load")

    worker.post("offload", "offload", what=["weights"])

    error = worker.await_end("offload")["error"]
    assert error["message"].startswith('offload is stuck: rank 1 is in "offload: asleep" since ')
    assert error["message"].endswith("while 1 of 2 ranks have finished")
    assert error["rank"] == 1
    assert worker.await_exit() != 0


def test_ranks_that_disagree_after_a_call_that_changes_them_end(start):
    worker = start().await_listening()
    worker.load("load")

    worker.post("onload", "onload", what=["weights"])

    error = worker.await_end("onload")["error"]
    assert (error["code"], error["rank"]) == ("bad_batch", 1)
    assert "1 of 2 ranks did not fail, so they disagree after onload and the worker ends" in error["message"]
    assert worker.post("onload", "again", what=["weights"])[1]["error"]["code"] == "bad_batch"
    assert worker.await_exit() != 0


def test_sigterm_to_torchrun_ends_the_ranks_cleanly(start):
    worker = start().await_listening()
    ranks = worker.rank_pids()

    worker.process.send_signal(signal.SIGTERM)

    worker.await_exit()
    assert not any(is_alive(pid) for pid in ranks)
    assert "stopping: it was told to stop" in worker.said()
    assert "rank 0 is gone" not in worker.said()


def test_when_torchrun_is_killed_no_rank_is_left(start):
    worker = start().await_listening()
    assert len(worker.rank_pids()) == 2

    worker.process.kill()

    worker.await_exit()


def test_without_torchrun_it_is_one_rank_that_ends_when_nobody_calls(start):
    worker = start("--lease", "3s", ranks=None).await_listening()
    assert worker.call("GET", "/info")[1]["worldSize"] == 1
    assert worker.load("load")[1]["result"]["parameters"] == 1

    assert worker.await_exit() == 0
    assert "no call for 3 s, the trainer is gone" in worker.said()


def test_megatrons_exit_on_bad_arguments_fails_the_call_and_not_the_worker(start):
    worker = start("--lease", "60s", ranks=None).await_listening()

    _, operation = worker.load("load", "0:exit")

    assert operation["error"]["message"] == "SystemExit: bad arguments"
    worker.process.send_signal(signal.SIGTERM)
    assert worker.await_exit() == 0


def test_a_rank_that_dies_on_one_node_takes_the_ranks_of_the_others_down(start):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    meeting = ("--nnodes", "2", "--master-addr", "127.0.0.1", "--master-port", str(port), "--node-rank")
    first = start(ranks=1, meeting=(*meeting, "0"))
    second = start(ranks=1, meeting=(*meeting, "1"))
    first.await_listening()
    second.pids += descendants(second.process.pid)

    os.kill(second.rank_pids()[0], signal.SIGKILL)

    assert first.await_exit() != 0 and second.await_exit() != 0
    assert "the worker ends error=rank 1 (process " in first.said()
