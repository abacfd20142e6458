"""The objective once more, in loops over Python floats from the papers' and slime's formulas: no tensor, no packing.

Slow and plain on purpose: the tests' independent second opinion, and where golden numbers without a published source
come from. Gradients are central differences in double precision.
"""

import math

Rows = list[list[float]]

DEFAULTS = {
    "algorithm": "grpo",
    "clipLow": 0.2,
    "clipHigh": 0.28,
    "klLossCoefficient": 0.0,
    "entropyCoefficient": 0.0,
    "klType": "low_var_kl",
}


def loss(case: dict, current: Rows | None = None) -> float:
    """The loss of a case as the golden files hold it: rows of tokens, one a sequence."""
    objective = DEFAULTS | case["objective"]
    current = current or case["current"]
    total = 0.0
    for row, logprobs in enumerate(current):
        total += _sequence(case, objective, row, logprobs, case["current"][row])
    return total


def gradient(case: dict, step: float = 1e-6) -> Rows:
    """Central differences of the loss by each current log-probability."""
    gradients = []
    for row, logprobs in enumerate(case["current"]):
        gradients.append([])
        for t in range(len(logprobs)):
            ends = []
            for by in (step, -step):
                moved = [list(values) for values in case["current"]]
                moved[row][t] += by
                ends.append(loss(case, moved))
            gradients[row].append((ends[0] - ends[1]) / (2 * step))
    return gradients


def _sequence(case: dict, objective: dict, row: int, logprobs: list[float], fixed: list[float]) -> float:
    """One sequence's weighted loss; ``fixed`` are the log-probabilities where the formula stops the gradient."""
    weights, advantages, old = case["weights"][row], case["advantages"][row], case["old"][row]
    rollout = case.get("rollout", case["old"])[row]
    entropy = case.get("entropy", [[0.0] * len(weights)] * (row + 1))[row]
    trained = [t for t, weight in enumerate(weights) if weight > 0]
    if not trained:
        return 0.0
    if objective["algorithm"] == "sft":
        return sum(-logprobs[t] * weights[t] for t in trained)
    factors = _factors(objective, old, rollout, trained)
    if objective.get("opsmDelta") is not None:
        departed = sum(old[t] - fixed[t] for t in trained) / len(trained) > objective["opsmDelta"]
        factors = {t: 0.0 if departed and advantages[t] < 0 else factors[t] for t in trained}
    shared = sum(logprobs[t] - old[t] for t in trained) / len(trained)
    total = 0.0
    for t in trained:
        log_ratio = shared if objective["algorithm"] == "gspo" else logprobs[t] - old[t]
        token = _token(objective, math.exp(log_ratio), math.exp(fixed[t] - old[t]), logprobs[t], advantages[t])
        token = token * factors[t] - objective["entropyCoefficient"] * entropy[t]
        if objective["klLossCoefficient"]:
            divergence = _divergence(objective["klType"], logprobs[t] - case["reference"][row][t])
            if objective.get("unbiasedKl"):
                divergence *= math.exp(logprobs[t] - old[t])
            if objective["klType"] == "low_var_kl":
                divergence = min(10.0, max(-10.0, divergence))
            token += objective["klLossCoefficient"] * divergence
        total += token * weights[t]
    return total


def _token(objective: dict, ratio: float, fixed_ratio: float, logprob: float, advantage: float) -> float:
    low, high = 1 - objective["clipLow"], 1 + objective["clipHigh"]
    if objective["algorithm"] == "cispo":
        return -min(high, max(low, fixed_ratio)) * advantage * logprob
    token = max(-ratio * advantage, -min(high, max(low, ratio)) * advantage)
    if objective.get("dualClip") is not None and advantage < 0:
        token = min(token, -objective["dualClip"] * advantage)
    return token


def _factors(objective: dict, old: list[float], rollout: list[float], trained: list[int]) -> dict[int, float]:
    correction = objective.get("mismatchCorrection")
    if correction is None:
        return dict.fromkeys(trained, 1.0)
    differences = {t: old[t] - rollout[t] for t in trained}
    total = sum(differences.values())
    log_ratios = {
        "token": differences,
        "sequence": dict.fromkeys(trained, min(20.0, max(-20.0, total))),
        "geometric": dict.fromkeys(trained, min(20.0, max(-20.0, total / len(trained)))),
    }[correction.get("level", "token")]
    factors = {}
    for t, log_ratio in log_ratios.items():
        ratio = math.exp(log_ratio)
        bounded = min(correction["high"], max(correction["low"], ratio))
        factors[t] = bounded if correction["type"] == "tis" or bounded == ratio else 0.0
    veto = correction.get("veto")
    if veto is not None and any(difference < math.log(veto) for difference in differences.values()):
        return dict.fromkeys(trained, 0.0)
    return factors


def _divergence(kl_type: str, difference: float) -> float:
    match kl_type:
        case "k1":
            return difference
        case "k2":
            return difference**2 / 2
        case _:
            return math.exp(-difference) - 1 + difference
