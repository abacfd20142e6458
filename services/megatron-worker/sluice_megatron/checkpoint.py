"""Loads the converter's torch_dist checkpoints, and writes and reads cuts: torch_dist with optimizer state."""

import pickle
from functools import partial
from pathlib import Path

import torch
from megatron.core import dist_checkpointing
from megatron.core import parallel_state as mpu
from megatron.core.dist_checkpointing.core import CheckpointingException
from megatron.core.dist_checkpointing.mapping import ShardedObject, ShardedTensor
from megatron.core.dist_checkpointing.serialization import load_sharded_metadata
from megatron.core.dist_checkpointing.validation import StrictHandling
from megatron.core.optimizer.cpu_offloading import HybridDeviceOptimizer

from sluice_megatron import agreement
from sluice_megatron.errors import WorkerError
from sluice_megatron.model import Built, PolicyModel
from sluice_megatron.saving import Saving, remove

_TRACKER = "latest_checkpointed_iteration.txt"
_COUNTERS = "sluice"

# What .metadata of a torch_dist checkpoint is made of; anything else is code that somebody wants to run here.
_METADATA_GLOBALS = {
    "torch.distributed.checkpoint.metadata": {
        "Metadata",
        "TensorStorageMetadata",
        "BytesStorageMetadata",
        "TensorProperties",
        "ChunkStorageMetadata",
        "MetadataIndex",
        "StorageMeta",
        "_MEM_FORMAT_ENCODING",
    },
    "torch.distributed.checkpoint.filesystem": {"_StorageInfo", "_StoragePrefix"},
    # Older checkpoints keep the plans that they were written by.
    "torch.distributed.checkpoint.planner": {
        "SavePlan",
        "WriteItem",
        "WriteItemType",
        "TensorWriteData",
        "BytesIOWriteData",
    },
    "megatron.core.dist_checkpointing.strategies.torch": {"MCoreSavePlan", "MCoreMetadata"},
    "torch.serialization": {"_get_layout"},
    "torch": {"Size", "bfloat16", "float16", "float32", "float64", "int64", "int32", "uint8", "bool", "float8_e4m3fn"},
    "collections": {"OrderedDict"},
}


class _ClosedUnpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if name not in _METADATA_GLOBALS.get(module, ()):
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no checkpoint needs")
        return super().find_class(module, name)


def iteration_directory(directory: Path) -> Path:
    """Where the checkpoint's files lie: what the tracker names, or the directory itself."""
    tracker = directory / _TRACKER
    if not tracker.is_file():
        return directory
    named = tracker.read_text()[:64].strip()
    if named != "release" and not named.isdecimal():
        raise WorkerError("bad_checkpoint", f"{tracker} says {named!r}, neither release nor an iteration", _CONVERT)
    return directory / ("release" if named == "release" else f"iter_{int(named):07d}")


_CONVERT = "convert the model again, or name another checkpoint"


def load_weights(model: PolicyModel, directory: Path):
    """Loads a model's weights, every parameter of it; tensors of the checkpoint that the model lacks are left out.

    Raises WorkerError (bad_checkpoint) where one is missing or of another shape.
    """
    state = {"model": model.sharded_state_dict(metadata=_metadata())}
    loaded = _load(state, directory)
    model.load_state_dict(loaded["model"], strict=False)


class Cut:
    """Weights, optimizer state and counters on their way to disk as iteration ``step``.

    Every rank makes one at the same time. ``write`` is each rank's own, without collectives; then ``finish`` is rank 0's
    alone, or ``abandon``. ``copied``: training may go on meanwhile.
    """

    def __init__(self, built: Built, directory: Path, step: int, optimizer_steps: int, copied: bool):
        self._directory = directory
        self._step = step
        state = _cut_state(built, is_loading=False)
        state["checkpoint_version"] = 3.0
        state[_COUNTERS] = {"step": step, "optimizerSteps": optimizer_steps}
        self._parts = [(directory, self._begin(state, directory, copied))]
        self._copied = copied

    def add_weights(self, model: PolicyModel, name: str):
        """Weights alone, for ``load_weights``, below the cut as ``name``."""
        directory = self._directory / name
        state = {"model": model.sharded_state_dict(metadata=_metadata())}
        self._parts.append((directory, self._begin(state, directory, self._copied)))

    def write(self):
        for _, saving in self._parts:
            saving.write()

    def finish(self):
        for directory, saving in self._parts:
            saving.finish()
            (directory / _TRACKER).write_text(str(self._step))

    def abandon(self):
        remove(self._directory)

    def _begin(self, state: dict, directory: Path, copied: bool) -> Saving:
        iteration = directory / f"iter_{self._step:07d}"
        agreement.lead(lambda: iteration.mkdir(parents=True))
        return Saving(state | {"iteration": self._step}, iteration, _CONTENT, copied)


def load_cut(built: Built, directory: Path) -> tuple[int, int]:
    """Reads what a ``Cut`` wrote, also under another layout; returns (step, optimizer steps)."""
    state = _cut_state(built, is_loading=True)
    loaded = _load(state, directory)
    counters = loaded.get(_COUNTERS)
    if not isinstance(counters, dict) or not {"step", "optimizerSteps"} <= counters.keys():
        raise WorkerError(
            "bad_checkpoint",
            f"{directory} says nothing of steps, so it is no cut",
            "resume from a directory that /save wrote",
        )
    built.policy.load_state_dict(loaded["model"], strict=False)
    _load_optimizer(built.optimizer, loaded["optimizer"])
    return int(counters["step"]), int(counters["optimizerSteps"])


# Any layout can be resumed from it; Megatron's other kind is quicker and bound to one number of data-parallel ranks.
_SHARDING = "fully_reshardable"
_CONTENT = {
    "singleton_local_shards": False,
    "chained_optim_avoid_prefix": True,
    "distrib_optim_sharding_type": _SHARDING,
}


def _metadata() -> dict:
    return {
        "distrib_optim_sharding_type": _SHARDING,
        "distrib_optim_fully_reshardable_mem_efficient": False,
        "singleton_local_shards": False,
        "chained_optim_avoid_prefix": True,
        "dp_cp_group": mpu.get_data_parallel_group(with_context_parallel=True),
    }


def _cut_state(built: Built, is_loading: bool) -> dict:
    _begin_optimizer(built.optimizer)
    metadata = _metadata()
    state = {"model": built.policy.sharded_state_dict(metadata=metadata)}
    state["optimizer"] = built.optimizer.sharded_state_dict(state, is_loading=is_loading, metadata=metadata)
    return state


def _begin_optimizer(optimizer):
    """Gives an optimizer that has not stepped the state that its first step would begin with, be it to save or to load.

    Without it Megatron finds nothing to save, asks torch's Adam for a count of steps that it has not got, and has the one
    on the host take a step with random gradients.
    """
    for one in getattr(optimizer, "chained_optimizers", [optimizer]):
        adam = getattr(one, "optimizer", None)
        if adam is None or adam.state or getattr(one, "is_stub_optimizer", False):
            continue
        if isinstance(adam, HybridDeviceOptimizer):
            _begin_on_host(adam)
            continue
        one.init_state_fn(adam, one.config)
        if isinstance(adam, torch.optim.Adam):
            for state in adam.state.values():
                state["step"] = torch.zeros(())


def _begin_on_host(hybrid: HybridDeviceOptimizer):
    for part in hybrid.sub_optimizers:
        for parameter in (one for group in part.param_groups for one in group["params"]):
            part.state[parameter] = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
            if isinstance(part, torch.optim.Adam):
                part.state[parameter]["step"] = torch.zeros(())
    hybrid._sync_sub_optimizers_state_to_hdo()


def _load_optimizer(optimizer, state: dict):
    """Mends what Megatron's loading does to torch's Adam: it wants a count of steps by parameter from the checkpoint, which
    has none, and gives all parameters one count, which each of them then raises in every step."""
    for one, _ in _torch_adams(optimizer):
        put = one._set_main_param_and_optimizer_states
        one._set_main_param_and_optimizer_states = partial(_put_but_step, put)
    try:
        optimizer.load_state_dict(state)
    except RuntimeError as e:
        raise WorkerError(
            "bad_checkpoint",
            f"the cut's optimizer state does not fit this layout: {e}",
            "resume with an expert-parallel size of 1 if the cut was written so, and above 1 if not: Megatron keeps the "
            "experts' state apart only then",
        ) from e
    for _, adam in _torch_adams(optimizer):
        for of_parameter in adam.state.values():
            # On the host, where Adam counts from the first: on a GPU its corrections have other last bits.
            of_parameter["step"] = torch.tensor(float(of_parameter["step"]))


def _put_but_step(put, parameter, tensors: dict):
    put(parameter, {"step": None} | tensors)


def _torch_adams(optimizer):
    for one in getattr(optimizer, "chained_optimizers", [optimizer]):
        inner = getattr(one, "optimizer", None)
        if isinstance(inner, torch.optim.Adam) and hasattr(one, "_set_main_param_and_optimizer_states"):
            yield one, inner


def _load(state: dict, directory: Path) -> dict:
    iteration = iteration_directory(directory)
    _check(iteration)
    _refuse_misfits(state, iteration)
    try:
        return dist_checkpointing.load(state, str(iteration), strict=StrictHandling.ASSUME_OK_UNEXPECTED)
    except (CheckpointingException, KeyError, ValueError, RuntimeError, OSError) as e:
        raise WorkerError("bad_checkpoint", f"{iteration} cannot be loaded: {e}", _CONVERT) from e
    except BaseException as e:
        # torch's CheckpointException is no Exception.
        if type(e).__name__ == "CheckpointException":
            raise WorkerError("bad_checkpoint", f"{iteration} cannot be loaded: {str(e)[:500]}", _CONVERT) from e
        raise


def _check(iteration: Path):
    metadata = iteration / ".metadata"
    if not metadata.is_file():
        raise WorkerError(
            "bad_checkpoint", f"{iteration} holds no .metadata, so it is no torch_dist checkpoint", _CONVERT
        )
    try:
        with open(metadata, "rb") as source:
            _ClosedUnpickler(source).load()
    except Exception as e:
        raise WorkerError("bad_checkpoint", f"{metadata} cannot be read: {e}", _CONVERT) from e


def _refuse_misfits(state: dict, iteration: Path):
    """Names every tensor that is missing or of another shape, before anything is loaded."""
    present = load_sharded_metadata(str(iteration))
    _leave_extra_states(state, present)
    problems = []
    for tensor in _tensors(state):
        if tensor.key not in present:
            tensor.key = next((key for key in other_names(tensor.key) if key in present), tensor.key)
        found = present.get(tensor.key)
        if found is None:
            problems.append(f"{tensor.key} is missing")
        elif tuple(found.global_shape) != tuple(tensor.global_shape) and not tensor.allow_shape_mismatch:
            problems.append(
                f"{tensor.key} has the shape {list(found.global_shape)}, the model {list(tensor.global_shape)}"
            )
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise WorkerError(
            "bad_checkpoint",
            f"{iteration} does not fit the model in {len(problems)} of its tensors: {'; '.join(problems[:5])}{more}",
            "name the checkpoint of this model, or give the arguments of that one",
        )


def _leave_extra_states(state: dict, present: dict):
    """Which modules keep one depends on TransformerEngine's version; in bf16 they are empty."""
    for key, value in list(state.items()):
        if isinstance(value, dict):
            _leave_extra_states(value, present)
        elif isinstance(value, ShardedObject) and "_extra_state" in value.key and value.unique_key not in present:
            del state[key]


# TransformerEngine fuses these norms into the linear layer that follows, and names them after it.
_FUSED_NORMS = (
    (".self_attention.q_layernorm.weight", ".self_attention.linear_q_up_proj.layer_norm_weight"),
    (".self_attention.kv_layernorm.weight", ".self_attention.linear_kv_up_proj.layer_norm_weight"),
    (".pre_mlp_layernorm.weight", ".mlp.linear_fc1.layer_norm_weight"),
    (".input_layernorm.weight", ".self_attention.linear_qkv.layer_norm_weight"),
)


def other_names(key: str):
    """What the other kind of model, with or without TransformerEngine, calls a tensor."""
    for plain, fused in _FUSED_NORMS:
        if key.endswith(plain):
            yield key.removesuffix(plain) + fused
        elif key.endswith(fused):
            yield key.removesuffix(fused) + plain


def _tensors(state):
    if isinstance(state, ShardedTensor):
        yield state
    elif isinstance(state, dict):
        for value in state.values():
            yield from _tensors(value)
    elif isinstance(state, (list, tuple)):
        for value in state:
            yield from _tensors(value)
