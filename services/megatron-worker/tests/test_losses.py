"""Losses against the golden numbers that the Java worker is held to as well; each case there names its source."""

import golden
import pytest
import torch
from torch import Tensor

from sluice_megatron.losses import Given, policy_loss, value_loss
from sluice_megatron.mismatch import mismatch_of
from sluice_megatron.sequences import Sequences

GOLDEN = golden.read("losses.json")


def packed(rows: list[list[float]], device: str = "cpu") -> Tensor:
    return torch.tensor([value for row in rows for value in row], dtype=torch.float32, device=device)


def sequence_of(rows: list[list[float]], device: str = "cpu") -> Tensor:
    return torch.tensor([index for index, row in enumerate(rows) for _ in row], device=device)


def given_of(case: dict, device: str = "cpu") -> Given:
    return Given(
        old=packed(case["old"], device),
        rollout=packed(case.get("rollout", case["old"]), device),
        reference=packed(case["reference"], device) if "reference" in case else None,
        advantages=packed(case["advantages"], device),
        weights=packed(case["weights"], device),
        sequence=sequence_of(case["weights"], device),
        sequences=len(case["weights"]),
    )


def entropy_of(case: dict, device: str = "cpu") -> Tensor:
    return packed(case.get("entropy", [[0.0] * len(row) for row in case["current"]]), device)


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    return request.param


@pytest.fixture(params=[False, True], ids=["fast", "deterministic"])
def algorithms(request):
    torch.use_deterministic_algorithms(request.param)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("algorithms")
@pytest.mark.parametrize("case", GOLDEN["policy"], ids=lambda case: case["name"])
def test_a_policy_loss_its_figures_and_its_gradient_are_the_golden_ones(case, device):
    current = packed(case["current"], device).requires_grad_()

    terms = policy_loss(
        current,
        entropy_of(case, device),
        given_of(case, device),
        golden.objective(GOLDEN["defaults"], case["objective"]),
    )
    terms.loss.backward()

    tolerance = case.get("tolerance", GOLDEN["tolerance"])
    figures = {
        "loss": terms.loss,
        "policyGradient": terms.policy_gradient,
        "entropy": terms.entropy,
        "kl": terms.kl,
        "klLoss": terms.kl_loss,
        "clipFraction": terms.clip_fraction,
        "ratio": terms.ratio,
        "masked": terms.masked,
    }
    expected = dict(case["expected"])
    expected.pop("tokenWeights", None)
    gradient = expected.pop("gradient", None)
    mismatch = expected.pop("mismatch", None)
    for name, value in expected.items():
        assert figures[name].item() == pytest.approx(value, abs=tolerance), name
    if gradient is not None:
        torch.testing.assert_close(current.grad.cpu(), packed(gradient), atol=GOLDEN["gradientTolerance"], rtol=0)
    if mismatch is not None:
        assert terms.mismatch.ratio.item() == pytest.approx(mismatch["ratio"], abs=tolerance)
        assert terms.mismatch.clip_fraction.item() == pytest.approx(mismatch["clipFraction"], abs=tolerance)
        assert terms.mismatch.distance.item() == pytest.approx(mismatch["distance"], abs=tolerance)


WEIGHED = [case for case in GOLDEN["policy"] if "tokenWeights" in case["expected"]]


@pytest.mark.parametrize("case", WEIGHED, ids=lambda case: case["name"])
def test_weights_of_a_mismatch_are_the_golden_ones(case):
    given = given_of(case)
    correction = golden.objective(GOLDEN["defaults"], case["objective"]).mismatch_correction
    sequences = Sequences(given.sequence, given.sequences, given.weights)

    weights = mismatch_of(given.old, given.rollout, given.weights, sequences, correction)

    trained = given.weights > 0
    expected = packed(case["expected"]["tokenWeights"])
    torch.testing.assert_close(weights.by_token[trained], expected[trained], atol=GOLDEN["tolerance"], rtol=0)
    assert not weights.by_token.requires_grad


@pytest.mark.parametrize("case", GOLDEN["value"], ids=lambda case: case["name"])
def test_a_value_loss_and_its_gradient_are_the_golden_ones(case):
    values = packed(case["values"]).requires_grad_()

    terms = value_loss(values, packed(case["old"]), packed(case["returns"]), packed(case["weights"]), case["clip"])
    terms.loss.backward()

    expected = case["expected"]
    assert terms.loss.item() == pytest.approx(expected["loss"], abs=GOLDEN["tolerance"])
    assert terms.clip_fraction.item() == pytest.approx(expected["clipFraction"], abs=GOLDEN["tolerance"])
    torch.testing.assert_close(values.grad, packed(expected["gradient"]), atol=GOLDEN["gradientTolerance"], rtol=0)


@pytest.mark.parametrize("algorithm", ["grpo", "gspo", "cispo", "sft"])
def test_an_untrained_row_gives_no_loss_and_no_gradient(algorithm):
    rows = [[-3.0, -200.0]]
    none = torch.zeros(2)
    given = Given(none, none, none, none, none, sequence_of(rows), 1)
    current = packed(rows).requires_grad_()
    objective = golden.objective(
        GOLDEN["defaults"], {"algorithm": algorithm, "klLossCoefficient": 1, "klType": "k3", "opsmDelta": 0.1}
    )

    terms = policy_loss(current, none, given, objective)
    terms.loss.backward()

    assert terms.loss.item() == 0
    assert torch.equal(current.grad, none)
