"""One rank's share of the reference layout (EP 8 of GLM-4.7-Flash on 8 GPUs): peak memory of a step beside the plan's figure.

47 layers at real width with the 8 experts that a rank holds, 8,192 tokens, full recompute, Adam on the host. Prints JSON.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import samples
import shapes
import torch
from speed import built

from sluice_megatron import arguments, batch
from sluice_megatron.step import Passes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=47)
    parser.add_argument(
        "--planned-gib", type=float, default=48.8, help="training.memory.gpuGiB of `sluice plan --json`"
    )
    parser.add_argument("--optimizer", choices=("cpu", "none"), default="cpu")
    options = parser.parse_args()
    further = shapes.FULL_RECOMPUTE + (shapes.CPU_ADAM if options.optimizer == "cpu" else [])
    began = time.perf_counter()
    made, where, left_out = built(shapes.flash(options.layers, 8, *further))
    built_seconds = time.perf_counter() - began
    held = torch.cuda.memory_allocated()
    passes = Passes(made, where)
    seconds = []
    torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        for step in (1, 2):
            file = Path(folder) / f"{step}.safetensors"
            samples.write(file, step, [4096] * 4, 154880, 8192)
            given = batch.read(file)
            began = time.perf_counter()
            passes.train(given, samples.GRPO)
            torch.cuda.synchronize()
            seconds.append(round(time.perf_counter() - began, 2))
    free, total = torch.cuda.mem_get_info()
    peak = torch.cuda.max_memory_allocated() / 2**30
    used = (total - free) / 2**30
    print(
        json.dumps(
            {
                "transformerEngine": arguments.transformer_engine_installed(),
                "leftOut": left_out,
                "parameters": sum(p.numel() for p in made.policy.parameters()),
                "buildSeconds": round(built_seconds, 1),
                "stepSeconds": seconds,
                "heldGiB": round(held / 2**30, 2),
                "peakAllocatedGiB": round(peak, 2),
                "peakReservedGiB": round(torch.cuda.max_memory_reserved() / 2**30, 2),
                "usedOnDeviceGiB": round(used, 2),
                "plannedGiB": options.planned_gib,
                "plannedToUsed": round(options.planned_gib / used, 3),
                "hostGiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1),
            }
        ),
        flush=True,
    )
    os._exit(0)


if __name__ == "__main__":
    main()
