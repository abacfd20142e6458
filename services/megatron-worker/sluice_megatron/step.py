"""A batch through the model: log-probabilities and entropies by token, and a step of training."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.distributed as dist
from megatron.core import parallel_state as mpu
from megatron.core.packed_seq_params import PackedSeqParams
from megatron.core.pipeline_parallel import get_forward_backward_func
from torch import Tensor

from sluice_megatron import objective
from sluice_megatron.batch import Batch
from sluice_megatron.errors import WorkerError
from sluice_megatron.loss_config import LossConfig
from sluice_megatron.losses import policy_loss
from sluice_megatron.model import Built
from sluice_megatron.packing import Layout, PackedRow, pack
from sluice_megatron.ranks import phase
from sluice_megatron.schedule import OptimizerStep, steps_of
from sluice_megatron.scores import token_scores
from sluice_megatron.step_sums import StepSums

# Few sizes of buffers, so that the allocator finds what it had; slime pads to as much.
ROW_MULTIPLE = 128


class Passes:
    """Runs batches through one model. Every rank calls every method, with the same batch."""

    def __init__(self, built: Built, device: torch.device, row_multiple: int = ROW_MULTIPLE):
        self._built = built
        self._chunk = built.chunk
        self._model = built.policy
        self._config = built.policy.config
        self._vocabulary = built.args.vocab_size
        self._device = device
        context = mpu.get_context_parallel_world_size()
        tensor = mpu.get_tensor_model_parallel_world_size()
        self._layout = Layout(
            multiple=row_multiple * tensor if device.type == "cuda" else tensor, context_ranks=context
        )

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Log-probabilities and entropies f32[T] by the model's present weights, on rank 0; 0 where nothing precedes."""
        columns = {name: torch.zeros(len(batch.tokens), device=self._device) for name in ("logprobs", "entropy")}
        self._chunk.eval()
        with torch.no_grad():
            steps = steps_of(batch, mpu.get_data_parallel_rank(), mpu.get_data_parallel_world_size())
            for number, step in enumerate(steps):
                process = partial(self._score, batch, columns)
                self._run(batch, step, process, f"forward {number + 1} of {len(steps)}", forward_only=True)
        for column in columns.values():
            dist.all_reduce(column)
        return columns

    def train(self, batch: Batch, loss: LossConfig) -> tuple[dict[str, object], Tensor]:
        """Trains all optimizer steps of a batch; (metrics, log-probabilities f32[T] that each optimizer step began with).

        Raises WorkerError (not_finite) if a gradient overflowed; that optimizer step has not been taken.
        """
        sums = StepSums(self._device)
        logprobs = torch.zeros(len(batch.tokens), device=self._device)
        steps = steps_of(batch, mpu.get_data_parallel_rank(), mpu.get_data_parallel_world_size())
        norms = []
        self._chunk.train()
        for number, step in enumerate(steps):
            what = f"optimizer step {number + 1} of {len(steps)}"
            self._chunk.zero_grad_buffer()
            self._built.optimizer.zero_grad()
            process = partial(self._lose, batch, loss, sums, logprobs, number == 0, len(step.micro_batches))
            self._run(batch, step, process, what, forward_only=False)
            norms.append(self._update(loss, number, what))
        dist.all_reduce(logprobs)
        sums.reduce(_over_world(dist.ReduceOp.SUM), _over_world(dist.ReduceOp.MAX))
        metrics = sums.metrics(len(steps))
        metrics["gradNorm"] = sum(norms) / len(norms)
        metrics["optimizerSteps"] = len(steps)
        return metrics, logprobs

    def refuse_misfit(self, batch: Batch, loss: LossConfig):
        """Refuses what cannot be trained, before anything is."""
        depths = self._config.mtp_num_layers or 0
        objective.refuse_misfit(batch, loss, depths)
        if depths > 1 or (depths == 1 and loss.mtp_loss_scale == 0):
            raise WorkerError(
                "unsupported",
                f"--mtp-num-layers is {depths} and mtpLossScale {loss.mtp_loss_scale}",
                "train one such layer with a scale above 0, or load the model without --mtp-num-layers",
            )

    def _run(self, batch: Batch, step: OptimizerStep, process: Callable, what: str, forward_only: bool):
        count = len(step.micro_batches)

        def rows() -> Iterator[PackedRow]:
            for number, samples in enumerate(step.micro_batches):
                phase(f"{what}, micro-batch {number + 1} of {count}")
                row = pack(batch, samples, step.divisor, self._layout)
                yield row.of_context_rank(mpu.get_context_parallel_rank()).to(self._device)

        get_forward_backward_func()(
            forward_step_func=partial(self._forward_step, process),
            data_iterator=rows(),
            model=[self._chunk],
            num_microbatches=count,
            seq_length=self._built.args.seq_length,
            micro_batch_size=1,
            forward_only=forward_only,
        )
        phase(f"{what}, all micro-batches computed")

    def _forward_step(self, process: Callable, rows: Iterator[PackedRow], chunk):
        row = next(rows)
        bounds = PackedSeqParams(
            qkv_format="thd",
            cu_seqlens_q=row.cu_seqlens,
            cu_seqlens_kv=row.cu_seqlens,
            max_seqlen_q=row.longest,
            max_seqlen_kv=row.longest,
        )
        out = chunk(
            input_ids=row.tokens[None],
            position_ids=row.positions[None],
            attention_mask=None,
            packed_seq_params=bounds,
            output_processor=lambda hidden, policy: process(row, hidden, policy),
        )
        return out, lambda loss: (loss, {})

    def _score(self, batch: Batch, columns: dict[str, Tensor], row: PackedRow, hidden: tuple[Tensor, ...], policy):
        logprobs, entropy = self._scores(row, hidden[0], policy, batch.header.temperature)
        if mpu.get_tensor_model_parallel_rank() == 0:
            row.unpack(logprobs, columns["logprobs"])
            row.unpack(entropy, columns["entropy"])
        return logprobs.sum()

    def _lose(self, batch, loss, sums, column, first, count, row: PackedRow, hidden: tuple[Tensor, ...], policy):
        """The micro-batch's loss, times what Megatron divides it by: micro-batches and data-parallel ranks."""
        logprobs, entropy = self._scores(row, hidden[0], policy, batch.header.temperature)
        current = logprobs.detach()
        context = mpu.get_context_parallel_group()
        alone = dist.get_world_size(context) == 1
        given = objective.given_of(row, logprobs, loss, None if alone else partial(_summed, context))
        terms = policy_loss(logprobs, entropy, given, loss)
        total, mtp = terms.loss, None
        if loss.mtp_loss_scale > 0:
            mtp = self._mtp_loss(row, hidden[1], policy)
            total = total + loss.mtp_loss_scale * mtp
        if mpu.get_tensor_model_parallel_rank() == 0:
            sums.add(terms, total, mtp)
            if first:
                sums.compare(current, row.rollout, row.weights)
            row.unpack(current, column)
        return total * count * mpu.get_data_parallel_world_size()

    def _scores(self, row: PackedRow, hidden: Tensor, policy, temperature: float) -> tuple[Tensor, Tensor]:
        return token_scores(
            hidden, policy.output_weight(), row.labels, temperature, self._vocabulary, self._config.sequence_parallel
        )

    def _mtp_loss(self, row: PackedRow, hidden: Tensor, policy) -> Tensor:
        """Cross-entropy of the token after the next over tokens with gradient; only the layer itself learns from it."""
        logprobs, _ = token_scores(
            hidden,
            policy.output_weight().detach(),
            row.mtp_labels,
            1.0,
            self._vocabulary,
            self._config.sequence_parallel,
        )
        return -(logprobs * row.mtp_weights).sum()

    def _update(self, loss: LossConfig, number: int, what: str) -> float:
        phase(f"{what}, gradient norm")
        optimizer = self._built.optimizer
        optimizer.prepare_grads()
        norm = float(optimizer.get_grad_norm() or 0.0)
        if not math.isfinite(norm):
            raise WorkerError(
                "not_finite",
                f"the gradient norm of optimizer step {number} is {norm}",
                "load the last cut and lower the learning rate",
            )
        _set(optimizer, loss)
        phase(f"{what}, update")
        optimizer.step()
        return norm


def _set(optimizer, loss: LossConfig):
    """The optimizer's values of this step, schedule already applied."""
    given = loss.optimizer
    for part in getattr(optimizer, "chained_optimizers", [optimizer]):
        part.config.clip_grad = given.max_grad_norm
    for group in optimizer.param_groups:
        group["lr"] = loss.learning_rate * group.get("lr_mult", 1.0)
        group["weight_decay"] = given.weight_decay * group.get("wd_mult", 1.0)
        group["betas"] = (given.beta1, given.beta2)
        group["eps"] = given.epsilon


def _summed(group, values: Tensor) -> Tensor:
    values = values.clone()
    dist.all_reduce(values, group=group)
    return values


def _over_world(operation):
    def reduced(values: Tensor) -> Tensor:
        dist.all_reduce(values, operation)
        return values

    return reduced
