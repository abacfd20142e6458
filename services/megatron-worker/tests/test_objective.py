"""Which batches a loss refuses, in the CPU worker's words, and whose log-probabilities its ratio is taken to."""

import batches
import golden
import pytest
import torch

from sluice_megatron import batch, objective
from sluice_megatron.errors import WorkerError
from sluice_megatron.packing import Layout, pack

DEFAULTS = golden.read("losses.json")["defaults"]


@pytest.fixture
def file():
    return batches.of([3, 4], [1, 2], [[0, 0, 0], [1, 0, 0]])


REFUSALS = {
    "current with two optimizer steps": (
        {"oldLogprobs": "current"},
        "invalid_request",
        "oldLogprobs is current but the batch has 2 optimizer steps",
    ),
    "no old log-probabilities": ({}, "bad_batch", "the loss needs the column old_logprobs, which the batch lacks"),
    "no reference": (
        {"oldLogprobs": "rollout", "klLossCoefficient": 0.1},
        "bad_batch",
        "the loss needs the column ref_logprobs, which the batch lacks",
    ),
    "no MTP layer": (
        {"oldLogprobs": "rollout", "mtpLossScale": 0.3},
        "unsupported",
        "mtpLossScale is 0.3 but the loaded model has no MTP layer",
    ),
}


@pytest.mark.parametrize("refused", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_loss_that_the_batch_does_not_fit_is_refused(file, tmp_path, refused):
    changed, code, words = refused
    del file.columns["old_logprobs"], file.columns["ref_logprobs"]
    read = batch.read(file.write(tmp_path / "batch"))

    with pytest.raises(WorkerError) as refusal:
        objective.refuse_misfit(read, golden.objective(DEFAULTS, changed), mtp_layers=0)

    assert (refusal.value.code, refusal.value.message) == (code, words)


def test_samples_of_a_cut_vocabulary_are_refused(file, tmp_path):
    file.metadata |= {"topP": "0.9", "topK": "40"}
    read = batch.read(file.write(tmp_path / "batch"))

    with pytest.raises(
        WorkerError, match=r"samples were drawn with topP 0\.9 and topK 40, but this worker does not renor"
    ):
        objective.refuse_misfit(read, golden.objective(DEFAULTS, {}), mtp_layers=1)


@pytest.mark.parametrize("source", ["rollout", "batch", "current"])
def test_the_ratio_is_taken_to_the_policy_that_the_loss_names(file, tmp_path, source):
    row = pack(batch.read(file.write(tmp_path / "batch")), [0, 1], 1.0, Layout())
    logprobs = torch.full((len(row.tokens),), -0.5, requires_grad=True)

    given = objective.given_of(row, logprobs, golden.objective(DEFAULTS, {"oldLogprobs": source}))

    assert torch.equal(given.old, {"rollout": row.rollout, "batch": row.old, "current": logprobs.detach()}[source])
    assert not given.old.requires_grad
