"""Waiting for room on a GPU that engines are leaving."""

import pytest
import torch

from sluice_megatron import memory
from sluice_megatron.errors import WorkerError, error_of

GIB = 2**30


@pytest.fixture(autouse=True)
def device(monkeypatch):
    """80 GiB of which 70 are used, 10 of them by this process."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (10 * GIB, 80 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 10 * GIB)


def test_an_onload_begins_when_what_comes_back_fits():
    free = iter([1 * GIB, 5 * GIB, 19 * GIB, 21 * GIB])
    memory.await_room(20 * GIB, 60.0, lambda: next(free))
    assert next(free, None) is None


def test_an_onload_whose_room_never_comes_says_who_holds_it_and_asks_for_no_smaller_batches():
    with pytest.raises(WorkerError) as thrown:
        memory.await_room(20 * GIB, 0.2)
    error = error_of(thrown.value)
    assert error.code == "internal"
    assert error.message == (
        "20.00 GiB are to come back to the GPU and after 0.2 s 10.00 GiB are free: of 80.00 GiB this worker's tensors hold "
        "10.00 and others, with CUDA's own, 60.00"
    )
    assert "/release_memory_occupation" in error.mend


@pytest.mark.parametrize(
    "thrown",
    [torch.OutOfMemoryError("CUDA out of memory. Tried"), RuntimeError("NCCL: Cuda failure 2 'out of memory'")],
)
def test_a_load_that_runs_out_of_memory_says_what_others_hold(thrown):
    with pytest.raises(WorkerError) as told, memory.others_are_named("loading the model"):
        raise thrown
    assert told.value.code == "internal"
    assert told.value.message.startswith("the GPU's memory ended while loading the model: of 80.00 GiB")


def test_other_failures_stay_what_they_are():
    with pytest.raises(ValueError, match="a shape"), memory.others_are_named("loading the model"):
        raise ValueError("a shape")
