"""The worker with Megatron on the CPU: two ranks that share the tiny GLM-4.7-Flash-like model of common/checkpoint."""

import importlib.util
import json
import os
from pathlib import Path

import pytest
import torch
from batches import BatchFile
from megatron_process import FIXTURES, arguments
from safetensors.torch import load_file
from worker_process import HERE, WorkerProcess

TABLE = HERE / "fixtures" / "hf_tiny.tensors.json"
ENGINE_TOKEN = "a-token-of-engines"

_MODULES = ("megatron", "psutil", "xxhash")
_MISSING = [module for module in _MODULES if importlib.util.find_spec(module) is None]
needs_megatron = pytest.mark.skipif(bool(_MISSING), reason=f"this Python lacks {', '.join(_MISSING)}")

# MLA is trained on whole attention alone where TransformerEngine is missing; here both ranks have samples and experts.
TRAINED = [
    *arguments("glm4_moe_lite"),
    "--expert-model-parallel-size",
    "2",
    "--mtp-num-layers",
    "1",
    "--mtp-detach-heads",
]
# Both kinds of split at once: attention and the dense layer over two ranks, experts whole on either.
ARGUMENTS = [*TRAINED, "--tensor-model-parallel-size", "2", "--sequence-parallel"]


class MegatronWorker(WorkerProcess):
    """Calls that await their end; each gives the result, or the error."""

    def __init__(self, folder: Path):
        paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        super().__init__(
            folder,
            "--allow-root",
            str(FIXTURES),
            "--allow-root",
            str(TABLE.parent),
            # Other tests may take their time between two that use it.
            "--lease",
            "30m",
            program=("-m", "sluice_megatron"),
            SLUICE_WORKER_DEVICE="cpu",
            SLUICE_ENGINE_TOKEN=ENGINE_TOKEN,
            PYTHONPATH=os.pathsep.join(paths),
            PYTHONWARNINGS="ignore",
        )
        self._count = 0

    def started(self, verb: str, **fields: object) -> str:
        """The operation's id."""
        self._count += 1
        name = f"{verb.replace('/', '-')}-{self._count}"
        status, told = self.post(verb, name, **fields)
        assert status in (200, 202), told
        return name

    def ended(self, name: str) -> dict:
        operation = self.await_end(name)
        return operation["error"] or operation["result"]

    def does(self, verb: str, **fields: object) -> dict:
        return self.ended(self.started(verb, **fields))

    def loads(self, resume_from: Path | None = None, arguments: list[str] = ARGUMENTS) -> dict:
        named = {} if resume_from is None else {"resumeFrom": str(resume_from)}
        return self.does(
            "load",
            runId="run",
            checkpoint=str(FIXTURES / "torch_dist_mcore016slime_te_names"),
            hfConfig=str(FIXTURES / "hf_tiny"),
            args=arguments,
            tensors=str(TABLE),
            **named,
        )

    def trains(self, step: int) -> dict:
        file = self.data / f"batch-{self._count}.safetensors"
        _batch(step).write(file)
        loss = {
            "algorithm": "grpo",
            "clipLow": 0.2,
            "clipHigh": 0.28,
            "mtpLossScale": 0.2,
            "learningRate": 1e-3,
        }
        return self.does("train", step=step, batch=str(file), model="policy", loss=loss)

    def exports(self, version: int = 1, dtype: str = "float32") -> dict[str, torch.Tensor]:
        directory = self.data / f"export-{self._count}"
        told = self.does("export", dir=str(directory), version=version, dtype=dtype)
        assert "manifestSha256" in told, told
        return tensors_of(directory)


def tensors_of(directory: Path) -> dict[str, torch.Tensor]:
    return {name: tensor for file in directory.glob("*.safetensors") for name, tensor in load_file(file).items()}


def same_bits(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype
        and torch.equal(one[name].contiguous().view(torch.uint8), other[name].contiguous().view(torch.uint8))
        for name in one
    )


def _batch(step: int) -> BatchFile:
    """The sequences of parity_train_hf.safetensors."""
    given = load_file(FIXTURES / "parity_train_hf.safetensors")
    tokens = load_file(FIXTURES / "parity_hf.safetensors")["tokens"]
    samples, length = tokens.shape
    mask = torch.zeros(samples, length, dtype=torch.uint8)
    mask[:, 1:] = given["grpo.mask"].to(torch.uint8)
    old = torch.zeros(samples, length)
    old[:, 1:] = given["grpo.old_logprobs"]
    logprobs = (old * mask).reshape(-1)
    return BatchFile(
        {
            "tokens": tokens.reshape(-1).to(torch.int32),
            "cu_seqlens": torch.arange(0, samples * length + 1, length, dtype=torch.int32),
            "prompt_lengths": mask.argmax(1).to(torch.int32),
            "sample_id": torch.arange(samples),
            "group": torch.zeros(samples, dtype=torch.int32),
            "loss_denominator": mask.sum(1).float(),
            "truncated": torch.zeros(samples, dtype=torch.uint8),
            "loss_mask": mask.reshape(-1),
            "advantages": (mask.float() * given["grpo.advantages"][:, None]).reshape(-1),
            "rollout_logprobs": logprobs,
            "weight_version": torch.zeros(samples * length, dtype=torch.int32),
            "schedule": torch.tensor([[0, sample, 0] for sample in range(samples)], dtype=torch.int32),
            "old_logprobs": logprobs.clone(),
        },
        {
            "formatVersion": "1",
            "runId": "run",
            "step": str(step),
            "epoch": "1",
            "temperature": "1.0",
            "topP": "1.0",
            "topK": "0",
            "lossNormaliser": json.dumps({"kind": "sample", "value": samples}),
        },
    )
