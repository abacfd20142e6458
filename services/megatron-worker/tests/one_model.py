"""One load, pass, step and export of a fixture's model on this rank, for tests: started once or by torchrun.

Writes ORDER's "out": passes.safetensors, metrics.json, the directories hf (as loaded) and trained (after one step, float32).
"""

import json
import os
import sys
from pathlib import Path

import torch

from sluice_megatron.loss_config import LossConfig, Optimizer
from sluice_megatron.paths import AllowedRoots
from sluice_megatron.wire import ExportRequest, ForwardRequest, LoadRequest, SaveRequest, TrainRequest
from sluice_megatron.worker import Worker


def main():
    torch.set_num_threads(1)
    order = json.loads(Path(sys.argv[1]).read_text())
    out = Path(order["out"])
    worker = Worker(AllowedRoots([Path(root) for root in order["roots"]]))
    loaded = worker.load(
        LoadRequest(
            0,
            "load",
            "run",
            order["checkpoint"],
            order.get("reference"),
            None,
            None,
            order["hf"],
            tuple(order["args"]),
            order.get("resumeFrom"),
            order["tensors"],
        ),
        lambda done, total: None,
    )
    told = {"load": loaded, "steps": []}
    for name in order["do"]:
        told[name] = _DO[name](worker, order, out)
    if int(os.environ.get("RANK", "0")) == 0:
        (out / "told.json").write_text(json.dumps(told))
    if torch.distributed.get_world_size() > 1:
        torch.distributed.barrier()
    os._exit(0)


def _train(worker, order, out):
    loss = order["loss"]
    config = LossConfig(
        algorithm=loss.get("algorithm", "grpo"),
        clip_low=0.2,
        clip_high=0.28,
        dual_clip=None,
        kl_loss_coefficient=loss.get("kl", 0.0),
        entropy_coefficient=loss.get("entropy", 0.0),
        mtp_loss_scale=loss.get("mtp", 0.0),
        old_logprobs=loss.get("old", "batch"),
        mismatch_correction=None,
        learning_rate=1e-3,
        optimizer=Optimizer(loss.get("decay", 0.1), 0.9, 0.98, 1e-8, 1.0),
        kl_type="low_var_kl",
        unbiased_kl=False,
        opsm_delta=None,
        critic=None,
    )
    results = []
    for step, batch in enumerate(order["batches"], 1 + worker.standing()["step"]):
        results.append(worker.train(TrainRequest(0, f"train-{step}", step, batch, "policy", config, False)))
    return results


_DO = {
    "forward": lambda worker, order, out: worker.forward(
        ForwardRequest(
            0,
            "forward",
            order["batches"][0],
            order.get("model", "policy"),
            frozenset(["logprobs", "entropy"]),
            str(out / "passes.safetensors"),
        )
    ),
    "export": lambda worker, order, out: worker.export(ExportRequest(0, "export", str(out / "hf"), 1, "bfloat16")),
    "train": _train,
    "exportTrained": lambda worker, order, out: worker.export(
        ExportRequest(0, "trained", str(out / "trained"), 2, "float32")
    ),
    "save": lambda worker, order, out: worker.save(
        SaveRequest(0, "save", str(out / "cut"), False), lambda done, total: None
    ),
}


if __name__ == "__main__":
    main()
