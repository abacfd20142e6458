"""A step in any micro-batches over any ranks against the same step in one pass and in plain loops."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import batches
import golden
import plain_loss
import pytest
import torch
from torch import Tensor

from sluice_megatron import batch, schedule
from sluice_megatron.losses import Given, Terms, policy_loss, value_loss
from sluice_megatron.packing import Layout, PackedRow, pack
from sluice_megatron.step_sums import StepSums

EVERYTHING = {
    "klLossCoefficient": 0.3,
    "klType": "k3",
    "unbiasedKl": True,
    "entropyCoefficient": 0.05,
    "opsmDelta": 0.05,
    "mismatchCorrection": {"type": "tis", "low": 0.7, "high": 1.4, "level": "sequence", "veto": 1e-4},
}
OBJECTIVES = {
    "grpo": {"dualClip": 3.0, **EVERYTHING},
    "gspo": {"algorithm": "gspo", **EVERYTHING},
    "gspo geometric": {
        "algorithm": "gspo",
        "mismatchCorrection": {"type": "icepop", "low": 0.8, "high": 1.2, "level": "geometric"},
    },
    "cispo": {"algorithm": "cispo", "klLossCoefficient": 0.2, "klType": "low_var_kl"},
    "sft": {"algorithm": "sft"},
}
DEFAULTS = golden.read("losses.json")["defaults"]


class ContextRanks:
    """Ranks as threads, whose sums wait for one another as a process group's do."""

    def __init__(self, ranks: int):
        self._ranks = ranks
        self._barrier = threading.Barrier(ranks, timeout=60)
        self._given: dict[int, Tensor] = {}

    def run(self, work) -> list:
        with ThreadPoolExecutor(self._ranks) as threads:
            return [future.result() for future in [threads.submit(work, rank) for rank in range(self._ranks)]]

    def reduce(self, rank: int):
        def total(values: Tensor) -> Tensor:
            self._given[rank] = values.detach().clone()
            self._barrier.wait()
            added = sum(self._given[other] for other in range(self._ranks))
            self._barrier.wait()
            return added

        return total


def random_batch(tmp_path, draw: random.Random, kind: str):
    """Seven samples in two optimizer steps over two ranks, each with one to two micro-batches a step."""
    lengths = [draw.randrange(1, 12) for _ in range(7)]
    prompts = [draw.randrange(1, length + 1) for length in lengths]
    rows = []
    for step, count in ((0, 4), (1, 3)):
        numbers = draw.choice([1, 2]) if count == 4 else 1
        places = [[step, rank, number] for rank in (0, 1) for number in range(numbers)]
        rows += places + [draw.choice(places) for _ in range(count - len(places))]
    order = list(range(7))
    draw.shuffle(order)
    rows = [rows[i] for i in order]
    divisor = 640.0 if kind == "constant" else 0.0
    file = batches.of(lengths, prompts, rows, kind, divisor, seed=draw.randrange(1 << 30))
    return batch.read(file.write(tmp_path / "batch"))


def terms_of(row: PackedRow, logprobs: Tensor, entropy: Tensor, objective, reduce=None) -> Terms:
    """The loss of a row by a column of log-probabilities f64[T] with a gradient."""
    entries = row.target.clamp_min(0)
    given = Given(row.old, row.rollout, row.reference, row.advantages, row.weights, row.sequence, row.sequences, reduce)
    return policy_loss(logprobs[entries], entropy[entries], given, objective)


def plain_case(whole, samples: list[int], divisor: float, logprobs: Tensor, entropy: Tensor, objective: dict) -> dict:
    starts = whole.cu_seqlens.tolist()

    def rows(column: Tensor) -> list[list[float]]:
        return [column[starts[i] + 1 : starts[i + 1]].tolist() for i in samples]

    weights = [
        [
            mask
            / (divisor * (float(whole.loss_denominator[i]) if whole.header.loss_normaliser.kind == "sample" else 1))
            for mask in whole.loss_mask[starts[i] + 1 : starts[i + 1]].tolist()
        ]
        for i in samples
    ]
    return {
        "objective": objective,
        "current": rows(logprobs.detach()),
        "entropy": rows(entropy),
        "weights": weights,
        "old": rows(whole.optional["old_logprobs"]),
        "rollout": rows(whole.rollout_logprobs),
        "reference": rows(whole.optional["ref_logprobs"]),
        "advantages": rows(whole.advantages),
    }


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("context_ranks", [1, 2, 4])
@pytest.mark.parametrize("seed", range(6))
def test_losses_gradients_and_figures_are_those_of_one_pass_and_of_plain_loops(tmp_path, name, context_ranks, seed):
    draw = random.Random(f"{name} {context_ranks} {seed}")
    kind = draw.choice(["sample", "token", "constant"])
    whole = random_batch(tmp_path, draw, kind)
    objective = golden.objective(DEFAULTS, OBJECTIVES[name])
    layout = Layout(draw.choice([1, 2, 3, 8]), context_ranks)
    noise = torch.randn(len(whole.tokens), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    column = whole.optional["old_logprobs"].double() + 0.3 * noise
    entropy = noise.abs()
    for step in range(2):
        samples = torch.nonzero(whole.schedule[:, 0] == step).flatten().tolist()
        divisor = schedule.divisor_of(whole, step)
        one_pass = StepSums()
        expected = column.clone().requires_grad_()
        row = pack(whole, samples, divisor, Layout())
        terms = terms_of(row, expected, entropy, objective)
        terms.loss.backward()
        one_pass.add(terms)
        one_pass.compare(expected[row.target.clamp_min(0)], row.rollout, row.weights)

        parts, gradient = StepSums(), torch.zeros_like(column)
        for rank in (0, 1):
            for micro_batch in schedule.steps_of(whole, rank, 2)[step].micro_batches:
                packed = pack(whole, micro_batch, divisor, layout)
                group = ContextRanks(context_ranks)

                def backward(context_rank, packed=packed, group=group):
                    local = packed.of_context_rank(context_rank)
                    leaf = column.clone().requires_grad_()
                    reduce = group.reduce(context_rank) if context_ranks > 1 else None
                    local_terms = terms_of(local, leaf, entropy, objective, reduce)
                    local_terms.loss.backward()
                    return local, leaf, local_terms

                for local, leaf, local_terms in group.run(backward):
                    gradient += leaf.grad
                    parts.add(local_terms)
                    parts.compare(leaf[local.target.clamp_min(0)], local.rollout, local.weights)

        torch.testing.assert_close(gradient, expected.grad, rtol=1e-6, atol=1e-9)
        assert parts.metrics(1).keys() == one_pass.metrics(1).keys()
        for figure, value in one_pass.metrics(1).items():
            assert parts.metrics(1)[figure] == pytest.approx(value, rel=1e-6, abs=1e-9), figure
        case = plain_case(whole, samples, divisor, column, entropy, OBJECTIVES[name])
        assert parts.metrics(1)["loss"] == pytest.approx(plain_loss.loss(case), abs=1e-6)
        plain = [value for sample in plain_loss.gradient(case) for value in sample]
        targets = row.target[row.target >= 0]
        torch.testing.assert_close(gradient[targets], torch.tensor(plain, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("context_ranks", [1, 2, 4])
def test_a_critics_loss_and_gradient_are_those_of_one_pass(tmp_path, context_ranks):
    whole = random_batch(tmp_path, random.Random(5), "token")
    column = torch.randn(len(whole.tokens), generator=torch.Generator().manual_seed(5))
    samples = list(range(7))

    def loss(row: PackedRow) -> tuple[float, float, Tensor]:
        leaf = column.clone().requires_grad_()
        terms = value_loss(leaf[row.target.clamp_min(0)], row.values, row.returns, row.weights, 0.2)
        terms.loss.backward()
        return terms.loss.item(), terms.clip_fraction.item(), leaf.grad

    total, clipped, gradient = loss(pack(whole, samples, 9.0, Layout()))
    row = pack(whole, samples, 9.0, Layout(4, context_ranks))
    parts = [loss(row.of_context_rank(rank)) for rank in range(context_ranks)]

    assert sum(part[0] for part in parts) == pytest.approx(total, rel=1e-5)
    assert sum(part[1] for part in parts) == pytest.approx(clipped, rel=1e-5)
    torch.testing.assert_close(sum(part[2] for part in parts), gradient)


def test_sums_over_ranks_and_optimizer_steps_are_the_figures_on_the_wire():
    sums = [StepSums(), StepSums()]
    given = Given(
        *(torch.tensor(values) for values in ([-2.0, -2.0], [-2.5, -1.0])),
        None,
        torch.ones(2),
        torch.tensor([0.5, 0.5]),
        torch.zeros(2, dtype=torch.int64),
        1,
    )
    objective = golden.objective(DEFAULTS, {"mismatchCorrection": {"type": "tis", "low": 0.5, "high": 2}})
    terms = policy_loss(torch.tensor([-2.0, -2.0]), torch.tensor([1.0, 3.0]), given, objective)
    for rank in sums:
        rank.add(terms, terms.loss + 0.3 * 2.0, torch.tensor(2.0))
        rank.compare(torch.tensor([-2.0, -2.0]), given.rollout, given.weights)
    total, most = sums[0]._sums + sums[1]._sums, torch.maximum(sums[0]._most, sums[1]._most)

    sums[0].reduce(lambda _: total, lambda _: most)
    metrics = sums[0].metrics(optimizer_steps=4)

    # Two ranks, four steps: half of one rank's. Weights exp(0.5) and exp(-1) = 0.367879, which the bound lifts to 0.5.
    assert metrics["pgLoss"] == pytest.approx(-0.5 * (0.5 * 1.648721 + 0.5 * 0.5), abs=1e-6)
    assert metrics["loss"] == pytest.approx(metrics["pgLoss"] + 0.3, abs=1e-6)
    assert metrics["mtpLoss"] == pytest.approx(1.0)
    assert metrics["entropy"] == pytest.approx(1.0)
    assert metrics["importanceRatio"] == pytest.approx(0.5)
    assert metrics["mismatch"] == pytest.approx(
        {"ratio": 0.25 * 2.016600, "clipFraction": 0.25, "distance": 0.25 * (0.648721 + 0.632121)}, abs=1e-6
    )
    assert "opsmClipFraction" not in metrics
    assert metrics["trainRolloutLogprobMaxDifference"] == pytest.approx(1.0)
    assert metrics["trainRolloutLogprobMeanDifference"] == pytest.approx(0.75)
