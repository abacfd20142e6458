"""Which batches a loss can be computed on, and what it takes from a packed row; in the words of the CPU worker."""

from torch import Tensor

from sluice_megatron.batch import Batch
from sluice_megatron.errors import WorkerError
from sluice_megatron.losses import Given, Objective
from sluice_megatron.packing import PackedRow
from sluice_megatron.sequences import Reduce


def refuse_misfit(batch: Batch, objective: Objective, mtp_layers: int) -> None:
    """Refuses a batch and a policy's loss that do not fit, before anything is trained."""
    optimizer_steps = int(batch.schedule[:, 0].max()) + 1
    if objective.old_logprobs == "current" and optimizer_steps > 1:
        raise WorkerError(
            "invalid_request",
            f"oldLogprobs is current but the batch has {optimizer_steps} optimizer steps",
            "compute old log-probabilities first (/forward) and send them in the batch, or use rollout",
        )
    if objective.old_logprobs == "batch":
        batch.column("old_logprobs")
    if objective.kl_loss_coefficient:
        batch.column("ref_logprobs")
    if objective.mtp_loss_scale > 0 and mtp_layers == 0:
        raise WorkerError(
            "unsupported",
            f"mtpLossScale is {objective.mtp_loss_scale} but the loaded model has no MTP layer",
            "convert the checkpoint with its MTP layer, or set training.mtp.train to false",
        )
    refuse_cut_sampling(batch)


def refuse_cut_sampling(batch: Batch) -> None:
    """Refuses samples of a distribution that was cut: their log-probabilities are not the model's."""
    header = batch.header
    if header.top_p != 1 or header.top_k > 0:
        raise WorkerError(
            "unsupported",
            f"samples were drawn with topP {header.top_p} and topK {header.top_k}, but this worker does not "
            "renormalise over a cut vocabulary",
            "sample with topP 1 and without topK",
        )


def given_of(row: PackedRow, logprobs: Tensor, objective: Objective, reduce: Reduce | None = None) -> Given:
    """What a loss of current log-probabilities [P] is computed from; ``reduce`` sums over context-parallel ranks."""
    match objective.old_logprobs:
        case "current":
            old = logprobs.detach()
        case "batch":
            old = row.old
        case _:
            old = row.rollout
    return Given(
        old=old,
        rollout=row.rollout,
        reference=row.reference,
        advantages=row.advantages,
        weights=row.weights,
        sequence=row.sequence,
        sequences=row.sequences,
        reduce=reduce,
    )
