"""Batch files as the trainer writes them, for tests: random but valid, and easy to break."""

import json
import random
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

VOCABULARY = 300


@dataclass
class BatchFile:
    """Columns and metadata of a file; change them, then write."""

    columns: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        save_file({name: column.contiguous() for name, column in self.columns.items()}, path, metadata=self.metadata)
        return path


def of(
    lengths: list[int],
    prompts: list[int],
    schedule: list[list[int]] | None = None,
    kind: str = "sample",
    divisor: float = 0.0,
    seed: int = 0,
) -> BatchFile:
    """A batch of samples with these lengths; some answer tokens are masked, all columns are there."""
    draw = random.Random(seed)
    starts = [0]
    mask, advantages, rollout = [], [], []
    for length, prompt in zip(lengths, prompts, strict=True):
        starts.append(starts[-1] + length)
        advantage = draw.gauss(0, 1)
        answer = [int(draw.random() < 0.8) for _ in range(length - prompt)]
        mask += [0] * prompt + answer
        advantages += [0.0] * prompt + [advantage] * (length - prompt)
        rollout += [0.0] * prompt + [-3 * draw.random() for _ in range(length - prompt)]
    total = starts[-1]
    floats = {
        name: torch.tensor([value + draw.gauss(0, 0.3) * (value != 0) for value in rollout])
        for name in ("old_logprobs", "ref_logprobs", "values", "returns")
    }
    samples = len(lengths)
    columns = {
        "tokens": torch.tensor([draw.randrange(VOCABULARY) for _ in range(total)], dtype=torch.int32),
        "cu_seqlens": torch.tensor(starts, dtype=torch.int32),
        "prompt_lengths": torch.tensor(prompts, dtype=torch.int32),
        "sample_id": torch.arange(samples) + (1 << 40),
        "group": torch.zeros(samples, dtype=torch.int32),
        "loss_denominator": torch.tensor([max(1.0, float(sum(mask[a:b]))) for a, b in pairwise(starts)]),
        "truncated": torch.zeros(samples, dtype=torch.uint8),
        "loss_mask": torch.tensor(mask, dtype=torch.uint8),
        "advantages": torch.tensor(advantages),
        "rollout_logprobs": torch.tensor(rollout),
        "weight_version": torch.zeros(total, dtype=torch.int32),
        "schedule": torch.tensor(schedule or [[0, 0, 0]] * samples, dtype=torch.int32),
        **floats,
    }
    metadata = {
        "formatVersion": "1",
        "runId": "run-1",
        "step": "4",
        "epoch": "2",
        "temperature": "0.8",
        "topP": "1.0",
        "topK": "0",
        "contentSha256": "ab12",
        "lossNormaliser": json.dumps({"kind": kind, "value": divisor}),
    }
    return BatchFile(columns, metadata)
