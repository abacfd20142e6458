"""A rank's work out of a batch's schedule, and the divisors that all ranks share."""

import batches
import pytest

from sluice_megatron import batch, schedule
from sluice_megatron.errors import WorkerError


def read(tmp_path, lengths, rows, **changed):
    return batch.read(batches.of(lengths, [1] * len(lengths), rows, **changed).write(tmp_path / "batch"))


# slime's schedule of these eight samples at 100 tokens and two ranks, global batch size 4 (slime/utils/dp_schedule.py):
# partitions [[0,2,4,7],[1,3,5,6]], micro-batches [[[0,1],[2],[3]],[[0,1],[2],[3]]] within them, one and then two a
# step.
LENGTHS = [60, 50, 40, 30, 20, 110, 10, 90]
ROWS = [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1]]


@pytest.mark.parametrize(("rank", "expected"), [(0, [((0, 2),), ((4,), (7,))]), (1, [((1, 3),), ((5,), (6,))])])
def test_a_rank_gets_its_micro_batches_step_by_step(tmp_path, rank, expected):
    steps = schedule.steps_of(read(tmp_path, LENGTHS, ROWS), rank, 2)

    assert [step.micro_batches for step in steps] == expected


def test_micro_batches_follow_their_numbers_and_samples_the_file(tmp_path):
    rows = [[0, 0, 7], [0, 0, 2], [0, 0, 7], [0, 0, 2]]

    (step,) = schedule.steps_of(read(tmp_path, [2, 2, 2, 2], rows), 0, 1)

    assert step.micro_batches == ((1, 3), (0, 2))


@pytest.mark.parametrize("ranks", [1, 4])
def test_a_batch_for_another_number_of_ranks_is_refused_with_both_numbers(tmp_path, ranks):
    with pytest.raises(WorkerError) as refused:
        schedule.steps_of(read(tmp_path, LENGTHS, ROWS), 0, ranks)

    assert refused.value.code == "bad_batch"
    assert refused.value.message == (f"the batch is scheduled for 2 data-parallel ranks, but this worker has {ranks}")
    assert refused.value.mend.startswith(f"form it again for {ranks} data-parallel ranks, or start the worker with")


def test_every_step_of_unequal_ranks_is_named(tmp_path):
    rows = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 1, 0]]

    with pytest.raises(WorkerError) as refused:
        schedule.steps_of(read(tmp_path, [2] * 4, rows), 0, 2)

    assert "optimizer step 0 gives rank 1 1 micro-batches and rank 0 2" in refused.value.message
    assert "optimizer step 1 gives rank 0 0 micro-batches and rank 1 1" in refused.value.message


def test_micro_batches_that_pipeline_stages_do_not_divide_are_refused(tmp_path):
    with pytest.raises(
        WorkerError, match="optimizer step 0 has 1 micro-batches a rank, which 2 pipeline stages do not"
    ):
        schedule.steps_of(read(tmp_path, LENGTHS, ROWS), 0, 2, multiple=2)


@pytest.mark.parametrize(("kind", "expected"), [("sample", [4.0, 4.0]), ("token", None)])
def test_a_divisor_is_counted_over_the_samples_of_all_ranks(tmp_path, kind, expected):
    of_step = read(tmp_path, LENGTHS, ROWS, kind=kind)

    divisors = [[step.divisor for step in schedule.steps_of(of_step, rank, 2)] for rank in (0, 1)]

    mask = of_step.loss_mask
    starts = of_step.cu_seqlens.tolist()
    counted = [float(mask[starts[0] : starts[4]].sum()), float(mask[starts[4] : starts[8]].sum())]
    assert divisors[0] == divisors[1] == (expected or counted)


def test_a_divisor_that_the_batch_gives_is_taken(tmp_path):
    of_step = read(tmp_path, LENGTHS, ROWS, kind="constant", divisor=640.5)

    assert [step.divisor for step in schedule.steps_of(of_step, 0, 2)] == [640.5, 640.5]


def test_a_step_without_a_trained_token_is_divided_by_one(tmp_path):
    file = batches.of([3], [3], kind="token")

    assert schedule.divisor_of(batch.read(file.write(tmp_path / "batch")), 0) == 1
