"""Runs one_model.py in processes of its own, on the CPU or on the GPU that is there."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
FIXTURES = REPOSITORY / "common/checkpoint/src/test/fixtures"
SECONDS = 900

needs_megatron = pytest.mark.skipif(
    importlib.util.find_spec("megatron") is None, reason="megatron-core 0.19.2 is not installed in this Python"
)


def run(out: Path, do: list[str], ranks: int = 1, device: str = "cpu", **order):
    """Does it, and returns what rank 0 was told; raises AssertionError with the last words of the ranks."""
    out.mkdir(parents=True, exist_ok=True)
    order |= {"out": str(out), "do": do, "roots": [str(REPOSITORY), str(out.parent)]}
    file = out / "order.json"
    file.write_text(json.dumps(order))
    command = [sys.executable, "-W", "ignore"]
    if ranks > 1:
        command += ["-m", "torch.distributed.run", "--nproc-per-node", str(ranks), "--master-port", str(_free_port())]
    environment = os.environ | {
        "SLUICE_WORKER_DEVICE": device,
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
        "CUDA_DEVICE_MAX_CONNECTIONS": "1",
        "OMP_NUM_THREADS": "1",
    }
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    done = subprocess.run(
        [*command, str(HERE / "one_model.py"), str(file)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, "\n".join(done.stderr.splitlines()[-40:])
    return json.loads((out / "told.json").read_text())


def arguments(family: str) -> list[str]:
    """The plan's Megatron arguments of a fixture's family, in fp32 and without what needs GPUs."""
    return (HERE / "fixtures" / f"{family}.args").read_text().split()


def weights(directory: Path) -> dict[str, torch.Tensor]:
    tensors = {}
    for file in sorted(directory.glob("*.safetensors")):
        tensors |= load_file(file)
    return tensors


def write_batch(file: Path, step: int, columns: dict[str, torch.Tensor], ranks: int = 1, run: str = "run"):
    """A batch of columns [samples, length]; samples are dealt out to ranks one by one, a micro-batch each."""
    samples, length = columns["tokens"].shape
    schedule = [[0, sample % ranks, sample // ranks] for sample in range(samples)]
    mask = columns["loss_mask"].to(torch.uint8)
    flat = {
        "tokens": columns["tokens"].int(),
        "loss_mask": mask,
        "advantages": columns["advantages"].float() * mask,
        "rollout_logprobs": columns["logprobs"].float() * mask,
        "old_logprobs": columns["logprobs"].float() * mask,
        "weight_version": torch.zeros_like(mask, dtype=torch.int32),
    }
    of_samples = {
        "cu_seqlens": torch.arange(0, samples * length + 1, length, dtype=torch.int32),
        "prompt_lengths": mask.argmax(1).int(),
        "sample_id": torch.arange(samples),
        "group": torch.zeros(samples, dtype=torch.int32),
        "loss_denominator": mask.sum(1).float(),
        "truncated": torch.zeros(samples, dtype=torch.uint8),
        "schedule": torch.tensor(schedule, dtype=torch.int32),
    }
    header = {"formatVersion": "1", "runId": run, "step": str(step), "epoch": "0", "temperature": "1.0", "topP": "1.0"}
    normaliser = json.dumps({"kind": "sample", "value": samples})
    metadata = header | {"topK": "0", "lossNormaliser": normaliser}
    save_file({name: column.reshape(-1).contiguous() for name, column in flat.items()} | of_samples, file, metadata)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
