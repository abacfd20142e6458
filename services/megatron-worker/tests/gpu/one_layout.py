"""One case of ranks.py on this rank: builds a small model under a layout, trains, saves; started alone or by torchrun.

ORDER names {args, device, out, init | resume, and steps, dataRanks | offload | weights}; rank 0 writes told.json, a rank that
fails its reason into RANK.error.
"""

import dataclasses
import hashlib
import json
import os
import shutil
import sys
import threading
import time
import traceback
import zlib
from datetime import timedelta
from pathlib import Path

import samples
import torch
import torch.distributed as dist

from sluice_megatron import agreement, arguments, batch, checkpoint, device, memory, model
from sluice_megatron.errors import WorkerError
from sluice_megatron.loss_config import Optimizer
from sluice_megatron.offload import Offloading
from sluice_megatron.saving import Saving
from sluice_megatron.step import Passes

LENGTHS = [120, 250, 64, 199, 90, 256, 140, 33]
TOKENS = 420
HELD = ["weights", "optimizer", "gradients"]
# An epsilon far above all gradients makes Adam's step follow their size: their noise is not blown up to whole steps.
_OPTIMIZER = Optimizer(weight_decay=0.0, beta1=0.9, beta2=0.98, epsilon=1.0, max_grad_norm=1.0)
_LOSS = dataclasses.replace(samples.GRPO, old_logprobs="current", learning_rate=1.0, optimizer=_OPTIMIZER)


def main():
    order = json.loads(Path(sys.argv[1]).read_text())
    out = Path(order["out"])
    try:
        told = _run(order, out)
        if dist.get_rank() == 0:
            (out / "told.json").write_text(json.dumps(told))
        dist.barrier()
    except BaseException as e:
        traceback.print_exc()
        # After what torchrun itself may have to say.
        (out / f"{os.environ.get('RANK', '0')}.error").write_text(f"{type(e).__name__}: {e}"[:2000])
        os._exit(1)
    # No teardown: it may wait for ranks that have gone.
    os._exit(0)


def _run(order: dict, out: Path) -> dict:
    torch.set_num_threads(1)
    where = device.use_cpu() if order["device"] == "cpu" else device.use_gpu()
    backend = "gloo" if where.type == "cpu" else "cpu:gloo,cuda:nccl"
    if "RANK" in os.environ:
        dist.init_process_group(backend, timeout=timedelta(seconds=60))
    else:
        dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    adapted = arguments.read(order["args"], dist.get_world_size(), where.type)
    model.initialize(adapted.args)
    built = model.build(adapted.args)
    told = {
        "transformerImpl": built.args.transformer_impl,
        "leftOut": adapted.left_out,
        "parameters": sum(parameter.numel() for parameter in built.policy.parameters()),
    }
    first = 0
    if "resume" in order:
        first, _ = checkpoint.load_cut(built, Path(order["resume"]))
    else:
        if "init" in order:
            checkpoint.load_weights(built.policy, Path(order["init"]))
        elif "offload" in order:
            with torch.no_grad():
                for parameter in built.policy.parameters():
                    parameter.normal_(0, 0.02)
        else:
            _fill(built.policy)
        built.optimizer.reload_model_params()
    if "weights" in order:
        _save_weights(built, Path(order["weights"]))
        return told
    if "offload" in order:
        return told | _offload(built, where, order)
    if order.get("saveFirst"):
        _save(built, out / "begun", first, told)
    told["steps"] = _train(built, where, order, out, first)
    began = time.monotonic()
    _save(built, out / "after", first + order["steps"], told)
    told["saveSeconds"] = round(time.monotonic() - began, 2)
    if where.type == "cuda":
        told["peakGiB"] = round(torch.cuda.max_memory_allocated() / 2**30, 3)
    return told


def _fill(policy):
    """Weights that depend on names alone; routers decide clearly enough that in float32 rounding sends no token elsewhere."""
    with torch.no_grad():
        for name, parameter in policy.named_parameters():
            if name.endswith("norm.weight") or "layer_norm_weight" in name or "layernorm" in name:
                parameter.fill_(1.0)
                continue
            generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            spread = 0.25 if "router" in name else 0.05
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)


def _train(built, where: torch.device, order: dict, out: Path, first: int) -> list[dict]:
    passes = Passes(built, where)
    loss = dataclasses.replace(_LOSS, mtp_loss_scale=0.2 if built.policy.config.mtp_num_layers else 0.0)
    steps = []
    for step in range(first + 1, first + 1 + order["steps"]):
        file = out / f"batch-{step}.safetensors"
        if dist.get_rank() == 0:
            samples.write(file, step, LENGTHS, built.args.vocab_size, TOKENS, order["dataRanks"])
        dist.barrier()
        began = time.monotonic()
        metrics, logprobs = passes.train(batch.read(file), loss)
        steps.append(metrics | {"seconds": round(time.monotonic() - began, 2), "logprobs": logprobs.tolist()})
    return steps


def _save(built, directory: Path, step: int, told: dict):
    """A cut; where there can be none, the weights alone, so that these at least can be compared."""
    try:
        cut = checkpoint.Cut(built, directory, step, step, False)
        agreement.together(cut.write)
        agreement.lead(cut.finish)
    except Exception as e:
        traceback.print_exc()
        told["noCut"] = f"{type(e).__name__}: {e}"[:300]
        shutil.rmtree(directory, ignore_errors=True)
        _save_weights(built, directory)


def _save_weights(built, directory: Path):
    """A checkpoint to load a policy from, as the converter writes one."""
    iteration = directory / "iter_0000000"
    agreement.lead(lambda: iteration.mkdir(parents=True))
    state = {"model": built.policy.sharded_state_dict(metadata=checkpoint._metadata()), "iteration": 0}
    saving = Saving(state, iteration, checkpoint._CONTENT, False)
    agreement.together(saving.write)
    agreement.lead(saving.finish)
    agreement.lead(lambda: (directory / "latest_checkpointed_iteration.txt").write_text("0"))


def _offload(built, where: torch.device, order: dict) -> dict:
    """Twice to the host and back, and once more while something else fills the GPU for a while, or for good."""
    passes = Passes(built, where)
    offloading = Offloading(built, where)
    file = Path(order["out"]) / "batch.safetensors"
    if dist.get_rank() == 0:
        vocabulary, ranks = built.args.vocab_size, order["dataRanks"]
        samples.write(file, 1, [order["offload"]] * 4 * ranks, vocabulary, order["offload"], ranks)
    dist.barrier()
    given = batch.read(file)
    passes.train(given, samples.GRPO)
    told = {}
    before = _digest(built)
    for turn in ("first", "again"):
        told[f"{turn}Offload"] = offloading.offload(HELD)
        told[f"{turn}Onload"] = offloading.onload(HELD)
    told["sameWeights"] = _digest(built) == before
    if where.type == "cuda":
        told["waitedForRoom"], told["refusedWithoutRoom"] = _without_room(offloading)
    passes.train(given, samples.GRPO)
    if where.type == "cuda":
        told["peakGiB"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return told


def _without_room(offloading: Offloading) -> tuple[float, str]:
    """Seconds that an onload took while the GPU was full for 3 of them, and what one said whose room never came."""
    offloading.offload(HELD)
    dist.barrier()
    held = [_all_but(1 << 30)]

    def leave():
        held.clear()
        torch.cuda.empty_cache()

    threading.Timer(3.0, leave).start()
    began = time.monotonic()
    offloading.onload(HELD)
    waited = time.monotonic() - began
    offloading.offload(HELD)
    dist.barrier()
    held.append(_all_but(1 << 30))
    memory.ROOM_SECONDS = 2.0
    try:
        offloading.onload(HELD)
        said = "nothing: it came back"
    except WorkerError as e:
        said = f"{e.code}: {e.message}; {e.mend}"
    dist.barrier()
    leave()
    offloading.onload(HELD)
    return round(waited, 2), said


def _all_but(left: int) -> torch.Tensor:
    free, _ = torch.cuda.mem_get_info()
    return torch.empty(max(1, free - left), dtype=torch.uint8, device="cuda")


def _digest(built) -> str:
    digest = hashlib.sha256()
    for _, parameter in built.policy.named_parameters():
        digest.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
