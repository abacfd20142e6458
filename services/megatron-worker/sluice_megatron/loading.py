"""What a load builds on this rank: the policy, its optimizer and the models that stand beside it."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from megatron.core import parallel_state as mpu

from sluice_megatron import arguments, checkpoint, model
from sluice_megatron.errors import WorkerError
from sluice_megatron.frozen import FrozenModels
from sluice_megatron.offload import Offloading
from sluice_megatron.operations import Progress
from sluice_megatron.paths import AllowedRoots
from sluice_megatron.ranks import phase
from sluice_megatron.step import Passes
from sluice_megatron.tensors import TensorTable
from sluice_megatron.wire import LoadRequest


@dataclass
class Loaded:
    """What a load built."""

    built: model.Built
    passes: Passes
    frozen: FrozenModels
    table: TensorTable | None
    config: Path
    optimizer_steps: int
    left_out: tuple[str, ...]
    offloading: Offloading

    def needed_table(self) -> TensorTable:
        if self.table is None:
            raise WorkerError("not_loaded", "the load named no table of tensors", "send the field tensors with /load")
        return self.table


def load(
    request: LoadRequest, config: Path, roots: AllowedRoots, device: torch.device, progress: Progress
) -> tuple[Loaded, int]:
    """Builds the model and fills it; also returns the step that its weights are of."""
    phase("reading the arguments")
    adapted = arguments.read(list(request.args), int(os.environ.get("WORLD_SIZE", "1")), device.type)
    table = None if request.tensors is None else TensorTable.read(roots.existing(request.tensors))
    phase("building the model")
    model.initialize(adapted.args)
    built = model.build(adapted.args)
    progress(1, 4)
    frozen = FrozenModels(built)
    for role in ("reference", "teacher"):
        directory = getattr(request, role)
        if directory is not None:
            phase(f"loading the {role}")
            checkpoint.load_weights(built.policy, _frozen_directory(request, roots, role, directory))
            frozen.keep(role)
    progress(2, 4)
    step = optimizer_steps = 0
    if request.resume_from is not None:
        phase("loading the cut")
        step, optimizer_steps = checkpoint.load_cut(built, roots.existing(request.resume_from))
    else:
        phase("loading the weights")
        checkpoint.load_weights(built.policy, roots.existing(request.checkpoint))
        built.optimizer.reload_model_params()
    progress(4, 4)
    passes = Passes(built, device)
    offloading = Offloading(built, device)
    return Loaded(built, passes, frozen, table, config, optimizer_steps, adapted.left_out, offloading), step


def _frozen_directory(request: LoadRequest, roots: AllowedRoots, role: str, directory: str) -> Path:
    """A reference that was the policy of an earlier step is part of the cut."""
    if role == "reference" and request.resume_from is not None:
        renewed = roots.existing(request.resume_from) / "reference"
        if renewed.is_dir():
            return renewed
    return roots.existing(directory)


def parameters(built: model.Built) -> int:
    """Values of the whole model, each counted once: what tensor-parallel ranks repeat, and MTP's copy of the embedding on a
    later pipeline stage, are none.
    """
    counts = torch.zeros(2, dtype=torch.float64)
    tensor_ranks = mpu.get_tensor_model_parallel_world_size()
    for name, parameter in built.policy.named_parameters():
        if name.startswith("embedding.") and not built.policy.pre_process:
            continue
        expert = not getattr(parameter, "allreduce", True)
        repeated = not expert and not getattr(parameter, "tensor_model_parallel", False)
        counts[int(expert)] += parameter.numel() / (tensor_ranks if repeated else 1)
    dist.all_reduce(counts)
    replicas = torch.tensor(
        [mpu.get_data_parallel_world_size(with_context_parallel=True), mpu.get_expert_data_parallel_world_size()],
        dtype=torch.float64,
    )
    return round(float((counts / replicas).sum()))
