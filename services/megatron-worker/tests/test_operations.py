"""The book of operations, without ranks or HTTP."""

import errno
import json
import threading

import pytest

from sluice_megatron import operations as module
from sluice_megatron.errors import WorkerError, error_of
from sluice_megatron.operations import Later, Operations
from sluice_megatron.wire import SaveRequest

PATIENCE = 60.0


def save(operation_id, epoch=0, dir="/d"):
    return SaveRequest(epoch, operation_id, dir, False)


def told(answer):
    return json.loads(answer[1])


def test_one_operation_computes_at_a_time_in_the_order_of_arrival():
    book, go, order = Operations(), threading.Event(), []
    book.start(save("first"), lambda progress: (go.wait(PATIENCE) and order.append(1)) or {}, 0)
    book.start(save("second"), lambda progress: order.append(2) or {}, 0.05)
    assert order == [] and book.is_working()

    go.set()

    assert told(book.start(save("second"), lambda progress: {}, PATIENCE))["state"] == "done"
    assert order == [1, 2] and not book.is_working()


def test_a_call_longer_than_the_patience_is_running_and_tells_how_far_it_is():
    book, go = Operations(), threading.Event()

    def work(progress):
        progress(1, 4)
        go.wait(PATIENCE)
        return {}

    running, body = book.start(save("long"), work, 0.5)

    assert running
    assert json.loads(body)["state"] == "running"
    go.set()
    assert told(book.start(save("long"), work, PATIENCE))["progress"] == 1


def test_others_compute_while_the_rest_of_a_call_is_written():
    book, go = Operations(), threading.Event()
    rest = Later(lambda progress: go.wait(PATIENCE) and {"bytes": 7})

    running, _ = book.start(save("slow"), lambda progress: rest, PATIENCE)
    between = told(book.start(save("between"), lambda progress: {}, PATIENCE))

    assert running and between["state"] == "done" and book.is_working()
    go.set()
    assert book.close("end", PATIENCE)
    assert json.loads(book.find("slow"))["result"] == {"bytes": 7}


def test_a_failed_call_keeps_its_error():
    def work(progress):
        raise WorkerError("bad_batch", "token 9 is out of range", "send another", 3)

    failed = told(Operations().start(save("bad"), work, PATIENCE))

    assert failed["state"] == "failed" and failed["result"] is None
    assert failed["error"] == {
        "code": "bad_batch",
        "message": "token 9 is out of range",
        "mend": "send another",
        "rank": 3,
    }


def test_too_much_waiting_is_refused_and_a_closed_book_takes_nothing():
    book, go = Operations(), threading.Event()
    for number in range(module.MAX_WAITING):
        book.start(save(f"w-{number}"), lambda progress: go.wait(PATIENCE) and {}, 0)
    with pytest.raises(WorkerError, match="8 operations are unfinished"):
        book.start(save("more"), lambda progress: {}, 0)
    assert not book.close("it was told to stop", 0.05)
    with pytest.raises(WorkerError, match="the worker takes no calls: it was told to stop"):
        book.start(save("late"), lambda progress: {}, 0)
    go.set()
    assert book.close("it was told to stop", PATIENCE)


def test_the_oldest_answers_are_forgotten_by_number_and_by_size(monkeypatch):
    monkeypatch.setattr(module, "MAX_REMEMBERED_BYTES", 1000)
    book = Operations()
    for number in range(4):
        book.start(save(f"s-{number}"), lambda progress: {"logprobs": "x" * 600}, PATIENCE)

    # What is held is counted before a new one begins.
    assert [book.find(f"s-{number}") is not None for number in range(4)] == [False, False, True, True]


def test_a_result_that_is_no_json_is_a_fault_of_ours():
    failed = told(Operations().start(save("nan"), lambda progress: {"loss": float("nan")}, PATIENCE))

    assert failed["error"]["code"] == "internal"


def test_what_was_thrown_is_told_by_its_kind():
    full = OSError(errno.ENOSPC, "No space left on device")
    wrapped = RuntimeError("cannot write")
    wrapped.__cause__ = full
    cuda = RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
    nccl = RuntimeError(
        "NCCL error in: NCCLUtils.cpp:93, unhandled cuda error\nLast error:\nFailed to CUDA calloc 536870912 bytes"
    )

    codes = [error_of(thrown).code for thrown in (full, wrapped, cuda, nccl, MemoryError(), KeyError("x"))]

    assert codes == ["disk_full", "disk_full", "out_of_memory", "out_of_memory", "out_of_memory", "internal"]
