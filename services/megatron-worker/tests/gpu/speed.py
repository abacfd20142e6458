"""A step of GLM-4.7-Flash at real width on one GPU: tokens a second and MFU, beside the same model stepped by bare Megatron.

Both are measured in turn in one process, on the same samples, for each size of micro-batches; the worker's step begins with
its batch in memory. Prints a line a size and, last, JSON.
"""

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import samples
import shapes
import torch
import torch.distributed as dist
from megatron.core.models.gpt.gpt_model import GPTModel
from megatron.core.packed_seq_params import PackedSeqParams
from megatron.core.pipeline_parallel import get_forward_backward_func

from sluice_megatron import arguments, batch, device, model
from sluice_megatron.packing import Layout, pack
from sluice_megatron.schedule import steps_of
from sluice_megatron.step import ROW_MULTIPLE, Passes

PEAK = 989e12  # bf16 tensor cores of an H100 SXM, dense; NVIDIA's data sheet


def built(plan: tuple[str, ...]):
    where = device.use_gpu()
    dist.init_process_group("cpu:gloo,cuda:nccl", store=dist.HashStore(), rank=0, world_size=1)
    adapted = arguments.read(list(plan), 1)
    model.initialize(adapted.args)
    made = model.build(adapted.args)
    with torch.no_grad():
        for name, parameter in made.policy.named_parameters():
            parameter.fill_(1.0) if name.endswith("norm.weight") or "layer_norm_weight" in name else parameter.normal_(
                0, 0.02
            )
    made.optimizer.reload_model_params()
    return made, where, adapted.left_out


class Bare:
    """Megatron's own forward, loss, schedule and optimizer over rows that lie on the GPU."""

    def __init__(self, made, rows):
        self._made, self._rows = made, rows
        # The worker computes this layer's product itself; here it is Megatron's, which would need Apex to fuse.
        made.policy.output_layer.gradient_accumulation_fusion = False

    def step(self):
        policy = self._made.policy
        mine = type(policy)._postprocess
        policy._postprocess = GPTModel._postprocess.__get__(policy)
        try:
            self._made.chunk.train()
            self._made.chunk.zero_grad_buffer()
            self._made.optimizer.zero_grad()
            get_forward_backward_func()(
                forward_step_func=self._forward,
                data_iterator=iter(self._rows),
                model=[self._made.chunk],
                num_microbatches=len(self._rows),
                seq_length=8192,
                micro_batch_size=1,
                forward_only=False,
            )
            self._made.optimizer.step()
        finally:
            del policy._postprocess
            assert type(policy)._postprocess is mine

    def _forward(self, rows, chunk):
        row = next(rows)
        bounds = PackedSeqParams(
            "thd", row.cu_seqlens, row.cu_seqlens, max_seqlen_q=row.longest, max_seqlen_kv=row.longest
        )
        losses = chunk(
            input_ids=row.tokens[None],
            position_ids=row.positions[None],
            attention_mask=None,
            labels=row.labels[None],
            packed_seq_params=bounds,
        )
        return losses, lambda out: ((out.view(-1) * row.loss_mask).sum() / row.loss_mask.sum(), {})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=5)
    parser.add_argument("--experts", type=int, default=64)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--tokens", default="8192,16384,32768", help="of a micro-batch, by commas")
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    made, where, left_out = built(shapes.flash(options.layers, options.experts))
    sizes = {}
    for tokens in map(int, options.tokens.split(",")):
        try:
            sizes[tokens] = _measured(made, where, options, tokens)
        except torch.OutOfMemoryError as e:
            sizes[tokens] = {"outOfMemory": str(e).splitlines()[0][:300]}
        # A step that failed leaves its activations to the collector.
        gc.collect()
        torch.cuda.empty_cache()
        print(f"micro-batches of {tokens} tokens: {json.dumps(sizes[tokens])}", flush=True)
    print(
        json.dumps(
            {
                "device": torch.cuda.get_device_name(),
                "transformerEngine": arguments.transformer_engine_installed(),
                "leftOut": left_out,
                "parameters": sum(p.numel() for p in made.policy.parameters()),
                "tokens": options.samples * options.length,
                "microBatches": sizes,
            }
        )
    )
    sys.stdout.flush()
    os._exit(0 if any("mfu" in size for size in sizes.values()) else 1)


def _measured(made, where, options, tokens: int) -> dict[str, object]:
    passes = Passes(made, where)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "batch.safetensors"
        samples.write(file, 1, [options.length] * options.samples, 154880, tokens)
        given = batch.read(file)
    [step] = steps_of(given, 0, 1)
    rows = [pack(given, numbers, step.divisor, Layout(ROW_MULTIPLE)).to(where) for numbers in step.micro_batches]
    bare = Bare(made, rows)
    kinds = {"worker": lambda: passes.train(given, samples.GRPO), "bare": bare.step}
    seconds = {name: [] for name in kinds}
    peaks = {}
    for number in range(options.rounds + 1):
        for name, run in kinds.items():
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            began = time.perf_counter()
            run()
            torch.cuda.synchronize()
            if number:
                seconds[name].append(time.perf_counter() - began)
            peaks[name] = torch.cuda.max_memory_allocated() / 2**30
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    flops = shapes.flops_a_token(options.layers, options.length) * len(given.tokens)
    return {
        "tokensPerSecond": {name: round(len(given.tokens) / t) for name, t in medians.items()},
        "mfu": {name: round(flops / t / PEAK, 4) for name, t in medians.items()},
        "workerToBare": round(medians["worker"] / medians["bare"], 4),
        "peakGiB": {name: round(peak, 2) for name, peak in peaks.items()},
        "seconds": {name: [round(t, 4) for t in times] for name, times in seconds.items()},
    }


if __name__ == "__main__":
    main()
