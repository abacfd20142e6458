"""The rules that a batch's columns obey, in the order and the words of common/worker-api's ``BatchCheck``."""

import math

import numpy as np

from sluice_megatron.batch_header import Header

SHOWN_PROBLEMS = 10

_BY_SAMPLE = ("sample_id", "group", "loss_denominator", "truncated")
_BY_TOKEN = ("loss_mask", "advantages", "rollout_logprobs", "weight_version")
_OPTIONAL = ("old_logprobs", "ref_logprobs", "teacher_logprobs", "values", "returns")

Columns = dict[str, np.ndarray]


class Problems:
    """Counts problems and keeps the words of the first ones."""

    def __init__(self) -> None:
        self.count = 0
        self.shown: list[str] = []

    def add(self, text: str) -> None:
        self.add_all(1, [text])

    def add_all(self, count: int, first: list[str]) -> None:
        """Notes ``count`` problems, of which the first at least SHOWN_PROBLEMS have words."""
        self.count += count
        self.shown += first[: SHOWN_PROBLEMS - len(self.shown)]


def problems_of(header: Header, columns: Columns) -> Problems:
    """Everything that is wrong with a batch; contents are looked at only where lengths are right."""
    problems = Problems()
    _header(header, problems)
    _lengths(columns, problems)
    if problems.count == 0:
        _boundaries(columns, problems)
        _schedule(columns["schedule"], problems)
        _values(columns, header.loss_normaliser.kind, problems)
    return problems


def _header(header: Header, problems: Problems) -> None:
    if not (header.temperature > 0 and math.isfinite(header.temperature)):
        problems.add(f"temperature is {_number(header.temperature)}, not above 0")
    kind, value = header.loss_normaliser.kind, header.loss_normaliser.value
    if not (value >= 0 and math.isfinite(value)) or (value == 0 and kind == "constant"):
        problems.add(f"lossNormaliser {kind.upper()} has the divisor {_number(value)}")


def _lengths(columns: Columns, problems: Problems) -> None:
    samples = columns["prompt_lengths"].size
    tokens = columns["tokens"].size
    expected = {"cu_seqlens": samples + 1} | dict.fromkeys(_BY_SAMPLE, samples) | {"schedule": 3 * samples}
    expected |= dict.fromkeys(_BY_TOKEN, tokens)
    expected |= {name: tokens for name in _OPTIONAL if name in columns}
    for name, length in expected.items():
        if columns[name].size != length:
            problems.add(f"{name} has {columns[name].size} entries, expected {length}")
    for name, values in columns.items():
        if values.ndim != (2 if name == "schedule" else 1) or (name == "schedule" and values.shape[1] != 3):
            problems.add(f"{name} has the shape {list(values.shape)}")
    if samples == 0:
        problems.add("there is no sample")


def _boundaries(columns: Columns, problems: Problems) -> None:
    starts = columns["cu_seqlens"].astype(np.int64)
    tokens = columns["tokens"].size
    if starts[0] != 0 or starts[-1] != tokens:
        problems.add(f"cu_seqlens goes from {starts[0]} to {starts[-1]}, expected 0 to {tokens}")
        return
    mask, advantages = columns["loss_mask"], columns["advantages"]
    bounds = starts.tolist()
    for sample, (start, end, prompt) in enumerate(
        zip(bounds, bounds[1:], columns["prompt_lengths"].tolist(), strict=False)
    ):
        if start < 0 or not 0 <= end <= tokens:
            problems.add(f"sample {sample} goes from {start} to {end} of {tokens} tokens")
            continue
        length = end - start
        if prompt < 1 or prompt > length:
            problems.add(f"sample {sample} has {length} tokens, of which {prompt} are its prompt")
            continue
        part = slice(start, start + prompt)
        if mask[part].any() or advantages[part].any():
            unmasked = np.flatnonzero((mask[part] != 0) | (advantages[part] != 0))
            problems.add_all(
                len(unmasked),
                [
                    f"token {start + t} is in the prompt of sample {sample} but not masked"
                    for t in unmasked[:SHOWN_PROBLEMS]
                ],
            )


def _schedule(schedule: np.ndarray, problems: Problems) -> None:
    steps = schedule[:, 0]
    broken = np.flatnonzero((schedule < 0).any(axis=1) | (steps >= len(steps)))
    if len(broken):
        sample = int(broken[0])
        problems.add(f"the schedule of sample {sample} is ({', '.join(map(str, schedule[sample].tolist()))})")
        return
    last = int(steps.max())
    missing = np.setdiff1d(np.arange(last + 1), steps)
    problems.add_all(
        len(missing), [f"optimizer step {step} of {last + 1} has no sample" for step in missing[:SHOWN_PROBLEMS]]
    )


def _values(columns: Columns, normaliser: str, problems: Problems) -> None:
    mask, advantages, rollout = columns["loss_mask"], columns["advantages"], columns["rollout_logprobs"]
    unclear = np.flatnonzero(mask > 1) if mask.size and mask.max() > 1 else np.empty(0, np.int64)
    infinite = np.flatnonzero(~(np.isfinite(advantages) & np.isfinite(rollout)))
    words = [(t, 0, f"loss_mask[{t}] is {mask[t]}, neither 0 nor 1") for t in unclear[:SHOWN_PROBLEMS]]
    words += [
        (
            t,
            1,
            f"token {t} has the advantage {_number(advantages[t])} and the log-probability {_number(rollout[t])}",
        )
        for t in infinite[:SHOWN_PROBLEMS]
    ]
    problems.add_all(len(unclear) + len(infinite), [text for _, _, text in sorted(words)])
    for name in _OPTIONAL:
        if name in columns:
            values = columns[name]
            infinite = np.flatnonzero(~np.isfinite(values))
            problems.add_all(len(infinite), [f"{name}[{t}] is {_number(values[t])}" for t in infinite[:SHOWN_PROBLEMS]])
    if normaliser == "sample":
        denominators = columns["loss_denominator"]
        broken = np.flatnonzero(~(denominators > 0))
        problems.add_all(
            len(broken),
            [f"loss_denominator[{i}] is {_number(denominators[i])}, not above 0" for i in broken[:SHOWN_PROBLEMS]],
        )


def _number(value: float) -> str:
    """As Java spells it: a log must not read differently with another worker."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value)
