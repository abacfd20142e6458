"""Batches of random samples, written as the trainer writes them."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from sluice_megatron.loss_config import LossConfig, Optimizer

GRPO = LossConfig(
    algorithm="grpo",
    clip_low=0.2,
    clip_high=0.28,
    dual_clip=None,
    kl_loss_coefficient=0.0,
    entropy_coefficient=0.0,
    mtp_loss_scale=0.0,
    old_logprobs="rollout",
    mismatch_correction=None,
    learning_rate=1e-6,
    optimizer=Optimizer(0.1, 0.9, 0.98, 1e-8, 1.0),
    kl_type="low_var_kl",
    unbiased_kl=False,
    opsm_delta=None,
    critic=None,
)


def write(
    file: Path, step: int, lengths: list[int], vocabulary: int, tokens_a_micro_batch: int, ranks: int = 1, seed: int = 0
):
    """Samples of these lengths, a quarter of each its prompt, packed in order into micro-batches and dealt out to ranks."""
    generator = torch.Generator().manual_seed(seed + step)
    total, count = sum(lengths), len(lengths)
    bounds = torch.tensor([0, *torch.tensor(lengths).cumsum(0).tolist()], dtype=torch.int32)
    prompts = torch.tensor([max(1, length // 4) for length in lengths], dtype=torch.int32)
    within = torch.cat([torch.arange(length) for length in lengths])
    sample = torch.repeat_interleave(torch.arange(count), torch.tensor(lengths))
    mask = (within >= prompts[sample]).to(torch.uint8)
    advantages = torch.randn(count, generator=generator)[sample] * mask
    rollout = -torch.rand(total, generator=generator) * 12 * mask
    columns = {
        "tokens": torch.randint(0, vocabulary, (total,), generator=generator, dtype=torch.int32),
        "cu_seqlens": bounds,
        "prompt_lengths": prompts,
        "sample_id": torch.arange(count),
        "group": (torch.arange(count) // 8).to(torch.int32),
        "loss_denominator": torch.tensor(lengths).float() - prompts,
        "truncated": torch.zeros(count, dtype=torch.uint8),
        "loss_mask": mask,
        "advantages": advantages.float(),
        "rollout_logprobs": rollout.float(),
        "weight_version": torch.zeros(total, dtype=torch.int32),
        "schedule": _schedule(lengths, tokens_a_micro_batch, ranks),
    }
    normaliser = json.dumps({"kind": "sample", "value": 0})
    header = {"formatVersion": "1", "runId": "run", "step": str(step), "epoch": "0", "temperature": "1.0"}
    save_file(columns, file, header | {"topP": "1.0", "topK": "0", "lossNormaliser": normaliser})


def _schedule(lengths: list[int], tokens: int, ranks: int) -> torch.Tensor:
    numbers, room, number = [], 0, -1
    for length in lengths:
        if length > room:
            number, room = number + 1, tokens
        room -= length
        numbers.append(number)
    if (number + 1) % ranks:
        raise ValueError(f"{number + 1} micro-batches do not deal out to {ranks} ranks")
    return torch.tensor([[0, number % ranks, number // ranks] for number in numbers], dtype=torch.int32)
