"""The run's models on this rank, and the verbs of the training-worker API on them."""

import base64
import hashlib
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import megatron.core
import torch
import torch.distributed as dist
from safetensors.torch import save_file

from sluice_megatron import agreement, arguments, batch, checkpoint, device, loading, manifest, memory, model, sync
from sluice_megatron.buckets import Weights
from sluice_megatron.errors import WorkerError
from sluice_megatron.export import export_hf
from sluice_megatron.loading import Loaded
from sluice_megatron.operations import Progress
from sluice_megatron.paths import AllowedRoots
from sluice_megatron.ranks import Rest, phase
from sluice_megatron.wire import (
    ConnectRequest,
    ExportRequest,
    ForwardRequest,
    LoadRequest,
    OffloadRequest,
    OnloadRequest,
    SaveRequest,
    SendRequest,
    TrainRequest,
)

_LOG = logging.getLogger("sluice.worker")

# Torch's own name for bytes in a safetensors header and in a request.
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Standing:
    """How far the worker is; step and weight version are -1 where there is none."""

    run_id: str | None = None
    step: int = -1
    batch_sha256: str | None = None
    weight_version: int = -1


class Worker:
    """One rank's part of every call; results are rank 0's."""

    def __init__(self, roots: AllowedRoots):
        self._roots = roots
        self._loaded: Loaded | None = None
        self._standing = Standing()
        on_cpu = os.environ.get("SLUICE_WORKER_DEVICE", "cuda") == "cpu"
        self._device = device.use_cpu() if on_cpu else device.use_gpu()
        self._sync = sync.Sync(self._device)

    def standing(self) -> dict[str, Any]:
        now = self._standing
        return {
            "runId": now.run_id,
            "step": now.step,
            "batchSha256": now.batch_sha256,
            "weightVersion": now.weight_version,
        }

    def info(self) -> dict[str, Any]:
        loaded = self._loaded
        engine = " with TransformerEngine" if arguments.transformer_engine_installed() else ""
        return {
            "backend": "megatron",
            "version": f"megatron-core {megatron.core.__version__}{engine}, torch {torch.__version__}",
            "capabilities": sorted(CAPABILITIES),
            "deterministic": loaded is not None and bool(loaded.built.args.deterministic_mode),
        }

    def load(self, request: LoadRequest, progress: Progress) -> dict[str, Any]:
        began = time.monotonic()
        if request.critic is not None:
            raise WorkerError(
                "unsupported", "this worker trains no critic", "use an algorithm without one, such as grpo"
            )
        config = self._roots.existing(request.hf_config)
        self._unload()
        self._join()
        with memory.others_are_named("loading the model"):
            self._loaded, step = loading.load(request, config, self._roots, self._device, progress)
        self._standing = Standing(request.run_id, step)
        built = self._loaded.built
        return {
            "step": step,
            "parameters": loading.parameters(built),
            "mtp": bool(built.policy.config.mtp_num_layers),
            "seconds": time.monotonic() - began,
            "weightsSha256": self._weights_sha256(),
        }

    def forward(self, request: ForwardRequest) -> dict[str, Any]:
        began = time.monotonic()
        loaded = self._need("weights")
        if not request.want or "values" in request.want or request.model == "critic":
            raise WorkerError(
                "unsupported",
                f"want is {sorted(request.want)} of the {request.model}",
                "ask the policy, a reference or a teacher for logprobs, entropy or both",
            )
        out = self._roots.absent(request.out)
        given = batch.read(self._roots.existing(request.batch))
        batch.refuse_misfit(given, loaded.built.args.vocab_size, loaded.built.args.max_position_embeddings)
        with loaded.frozen.weights_of(request.model):
            columns = loaded.passes.forward(given)
        if _leads():
            save_file({name: columns[name].cpu() for name in sorted(request.want)}, out)
        dist.barrier()
        return {
            "out": str(out),
            "sha256": hashlib.sha256(out.read_bytes()).hexdigest() if _leads() else "",
            "tokens": len(given.tokens),
            "seconds": time.monotonic() - began,
        }

    def train(self, request: TrainRequest) -> dict[str, Any]:
        began = time.monotonic()
        loaded = self._need("weights", "optimizer", "gradients")
        if request.model != "policy":
            raise WorkerError("not_loaded", f"no {request.model} is loaded that could be trained", "train the policy")
        if request.step != self._standing.step + 1:
            raise WorkerError(
                "step_out_of_order",
                f"step {request.step} was asked for but {self._standing.step} steps are trained",
                f"send step {self._standing.step + 1}, or load the cut before step {request.step}",
            )
        if request.renew_reference:
            loaded.frozen.need("reference")
        arguments.refuse_wrong_gradients(loaded.built.args)
        phase("reading the batch")
        given = batch.read(self._roots.existing(request.batch))
        batch.refuse_other(given, self._standing.run_id, request.step)
        batch.refuse_misfit(given, loaded.built.args.vocab_size, loaded.built.args.max_position_embeddings)
        loaded.passes.refuse_misfit(given, request.loss)
        read = time.monotonic()
        try:
            metrics, logprobs = loaded.passes.train(given, request.loss)
        except BaseException:
            # Some optimizer steps of the batch may be in the weights: they are no step's any more.
            self._unload()
            raise
        computed = time.monotonic()
        loaded.optimizer_steps += metrics["optimizerSteps"]
        if request.renew_reference:
            loaded.frozen.keep("reference")
        self._standing = Standing(self._standing.run_id, request.step, given.sha256, self._standing.weight_version)
        sha256 = self._weights_sha256()
        seconds = time.monotonic() - began
        metrics |= {
            "tokens": int(given.loss_mask.sum()),
            "seconds": seconds,
            "tokensPerSecond": len(given.tokens) / seconds,
        }
        result = {
            "step": request.step,
            "batchSha256": given.sha256,
            "metrics": metrics,
            "logprobs": _base64(logprobs),
            "weightsSha256": sha256,
        }
        _LOG.info(
            "step trained step=%d readingSeconds=%.4f computingSeconds=%.4f answeringSeconds=%.4f",
            request.step,
            read - began,
            computed - read,
            time.monotonic() - computed,
        )
        return result

    def export(self, request: ExportRequest) -> dict[str, Any]:
        began = time.monotonic()
        loaded = self._need("weights")
        if request.dtype not in DTYPES:
            raise WorkerError("invalid_request", f"dtype is {request.dtype[:80]}", f"use {' or '.join(DTYPES)}")
        table = loaded.needed_table()
        directory = self._roots.absent(request.dir)
        export_hf(loaded.built.policy, table, loaded.config, directory, DTYPES[request.dtype])
        written = _written(directory, began)
        self._stand_at(request.version)
        return written

    def save(self, request: SaveRequest, progress: Progress) -> dict[str, Any] | Rest:
        began = time.monotonic()
        loaded = self._need("weights", "optimizer")
        directory = self._roots.absent(request.dir)
        # All ranks have looked before one of them writes.
        dist.barrier()
        phase("copying for the cut" if request.asynchronous else "planning the cut")
        try:
            cut = checkpoint.Cut(
                loaded.built, directory, self._standing.step, loaded.optimizer_steps, request.asynchronous
            )
            if loaded.frozen.renewed:
                with loaded.frozen.weights_of("reference"):
                    cut.add_weights(loaded.built.policy, "reference")
        except BaseException:
            if _leads():
                checkpoint.remove(directory)
            raise

        def finish() -> dict[str, Any]:
            try:
                cut.finish()
                return manifest.listed(directory, began)
            except BaseException:
                cut.abandon()
                raise

        if request.asynchronous:
            return Rest(cut.write, finish, cut.abandon)
        phase("writing the cut")
        try:
            agreement.together(cut.write)
        except WorkerError:
            if _leads():
                cut.abandon()
            raise
        result: dict[str, Any] = {}
        agreement.lead(lambda: result.update(finish()))
        return result

    def connect(self, request: ConnectRequest) -> dict[str, Any]:
        self._join()
        return self._sync.connect(request)

    def send(self, request: SendRequest) -> dict[str, Any]:
        loaded = self._need("weights")
        weights = Weights(loaded.built.policy, loaded.needed_table(), request.bucket_bytes, self._device)
        sent = self._sync.send(weights, request)
        self._stand_at(request.version)
        return sent

    def offload(self, request: OffloadRequest) -> dict[str, Any]:
        return self._need().offloading.offload(request.what)

    def onload(self, request: OnloadRequest) -> dict[str, Any]:
        return self._need().offloading.onload(request.what)

    def _join(self):
        if dist.is_initialized():
            return
        phase("waiting for all ranks")
        # Collectives of tensors on the host (checkpoints, sums for people) go through gloo.
        backend = "gloo" if self._device.type == "cpu" else "cpu:gloo,cuda:nccl"
        if "RANK" not in os.environ:
            store = dist.HashStore()
            dist.init_process_group(backend, store=store, rank=0, world_size=1, timeout=model.GROUP_TIMEOUT)
        else:
            dist.init_process_group(backend, timeout=model.GROUP_TIMEOUT)

    def _need(self, *held: str) -> Loaded:
        """``held``: what of it must be on the GPU."""
        if self._loaded is None:
            raise WorkerError("not_loaded", "no policy is loaded", "call /load first")
        self._loaded.offloading.need(*held)
        return self._loaded

    def _stand_at(self, version: int):
        now = self._standing
        self._standing = Standing(now.run_id, now.step, now.batch_sha256, version)

    def _unload(self):
        self._loaded = None
        self._standing = Standing()
        torch.cuda.empty_cache()

    def _weights_sha256(self) -> str | None:
        """SHA-256 over all ranks' weights in order of rank; None unless the same calls give the same bits."""
        loaded = self._loaded
        if loaded is None or not loaded.built.args.deterministic_mode:
            return None
        digest = hashlib.sha256()
        for name, parameter in loaded.built.policy.named_parameters():
            digest.update(name.encode())
            digest.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        digests: list[bytes] = [b""] * dist.get_world_size()
        dist.all_gather_object(digests, digest.digest())
        return hashlib.sha256(b"".join(digests)).hexdigest()


CAPABILITIES = {
    "train",
    "mtp",
    "forward:logprobs",
    "forward:entropy",
    "reference",
    "teacher",
    "export:hf",
    "save",
    "send:nccl",
    "send:tensor",
    "offload",
}


def _leads() -> bool:
    return dist.get_rank() == 0


def _written(directory: Path, began: float) -> dict[str, Any]:
    dist.barrier()
    listed = manifest.listed(directory, began) if _leads() else {}
    dist.barrier()
    return listed


def _base64(values: torch.Tensor) -> str:
    """Little-endian float32, as Float32Array of common/worker-api reads it."""
    return base64.b64encode(values.float().cpu().numpy().astype("<f4").tobytes()).decode()
