"""The objective and the optimizer of a step, as ``/train`` carries them (LossConfig of common/worker-api)."""

from dataclasses import dataclass

from sluice_megatron.fields import Fields, Problems

ALGORITHMS = ("cispo", "gspo", "grpo", "ppo", "reinforce_plus_plus", "reinforce_plus_plus_baseline", "rloo", "sft")


@dataclass(frozen=True)
class Optimizer:
    """AdamW; decay is decoupled, gradients of a larger L2 norm than ``max_grad_norm`` are scaled down to it."""

    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98
    epsilon: float = 1e-8
    max_grad_norm: float = 1.0


@dataclass(frozen=True)
class MismatchCorrection:
    """A weight on each token's policy loss: the ratio of the old policy to the engine's, kept in [low, high].

    ``type`` is ``tis`` (a ratio out of bounds is clipped) or ``icepop`` (it counts nothing); ``level`` what one ratio
    stands for: ``token``, ``sequence`` (product) or ``geometric`` (mean); ``veto`` the least ratio of a token that
    does not silence its sequence.
    """

    type: str
    low: float
    high: float
    level: str = "token"
    veto: float | None = None


@dataclass(frozen=True)
class CriticLoss:
    """Values are clipped to within ``value_clip`` of those in the column ``values``."""

    value_clip: float
    learning_rate: float


@dataclass(frozen=True)
class LossConfig:
    """As the Java record of this name; its documentation says what each field means."""

    algorithm: str
    clip_low: float
    clip_high: float
    dual_clip: float | None
    kl_loss_coefficient: float
    entropy_coefficient: float
    mtp_loss_scale: float
    old_logprobs: str  # rollout, current or batch
    mismatch_correction: MismatchCorrection | None
    learning_rate: float
    optimizer: Optimizer
    kl_type: str  # k1, k2, k3 or low_var_kl
    unbiased_kl: bool
    opsm_delta: float | None
    critic: CriticLoss | None


def loss_of(sent: Fields | None, problems: Problems) -> LossConfig | None:
    """Reads it; what is wrong with it becomes one entry of ``problems``."""
    if sent is None:
        return None
    found = Problems()
    fields = sent.into(found)
    loss = LossConfig(
        algorithm=fields.text("algorithm"),
        clip_low=fields.number("clipLow"),
        clip_high=fields.number("clipHigh"),
        dual_clip=fields.number("dualClip", None),
        kl_loss_coefficient=fields.number("klLossCoefficient", 0.0),
        entropy_coefficient=fields.number("entropyCoefficient", 0.0),
        mtp_loss_scale=fields.number("mtpLossScale", 0.0),
        old_logprobs=fields.choice("oldLogprobs", ("rollout", "current", "batch"), "rollout"),
        mismatch_correction=_correction(fields.part("mismatchCorrection", None)),
        learning_rate=fields.number("learningRate"),
        optimizer=_optimizer(fields.part("optimizer", None)),
        kl_type=fields.choice("klType", ("k1", "k2", "k3", "low_var_kl"), "low_var_kl"),
        unbiased_kl=fields.flag("unbiasedKl"),
        opsm_delta=fields.number("opsmDelta", None),
        critic=_critic(fields.part("critic", None)),
    )
    fields.end()
    _check(loss, found)
    if found:
        problems.add(f"the loss cannot be used: {found.text()}")
    return loss


def _optimizer(fields: Fields | None) -> Optimizer:
    if fields is None:
        return Optimizer()
    optimizer = Optimizer(
        fields.number("weightDecay"),
        fields.number("beta1"),
        fields.number("beta2"),
        fields.number("epsilon"),
        fields.number("maxGradNorm"),
    )
    fields.end()
    return optimizer


def _correction(fields: Fields | None) -> MismatchCorrection | None:
    if fields is None:
        return None
    correction = MismatchCorrection(
        fields.choice("type", ("tis", "icepop")),
        fields.number("low"),
        fields.number("high"),
        fields.choice("level", ("token", "sequence", "geometric"), "token"),
        fields.number("veto", None),
    )
    fields.end()
    return correction


def _critic(fields: Fields | None) -> CriticLoss | None:
    if fields is None:
        return None
    critic = CriticLoss(fields.number("valueClip"), fields.number("learningRate"))
    fields.end()
    return critic


def _check(loss: LossConfig, found: Problems) -> None:
    """The rules of the Java record in its words; what is None was missing or of another type and has been told."""
    if loss.algorithm is not None and loss.algorithm not in ALGORITHMS:
        found.add(f'algorithm "{loss.algorithm[:80]}" is not known; use one of {", ".join(ALGORITHMS)}')
    if loss.clip_low is not None and not 0 < loss.clip_low <= 1:
        found.add(f"clipLow is {loss.clip_low}; it must lie above 0 and be at most 1")
    if loss.clip_high is not None and not loss.clip_high > 0:
        found.add(f"clipHigh is {loss.clip_high}; it must be positive")
    if loss.dual_clip is not None and not loss.dual_clip > 1:
        found.add(f"dualClip is {loss.dual_clip}; it must be above 1, or absent")
    if loss.dual_clip is not None and loss.algorithm == "cispo":
        found.add(f"dualClip is {loss.dual_clip}; cispo has no second clip")
    if loss.mismatch_correction is not None:
        _check_correction(loss.mismatch_correction, loss.old_logprobs, found)
    if loss.learning_rate is not None and not loss.learning_rate >= 0:
        found.add(f"learningRate is {loss.learning_rate}; it must be finite and not negative")
    scales = (loss.mtp_loss_scale, loss.kl_loss_coefficient)
    if None not in scales and min(scales) < 0:
        found.add(f"mtpLossScale is {scales[0]} and klLossCoefficient {scales[1]}; neither may be negative")
    if loss.opsm_delta is not None and not loss.opsm_delta >= 0:
        found.add(f"opsmDelta is {loss.opsm_delta}; it must not be negative, or be absent")
    critic = loss.critic
    of_critic = () if critic is None else (critic.value_clip, critic.learning_rate)
    if of_critic and None not in of_critic and not (of_critic[0] > 0 and of_critic[1] >= 0):
        found.add(
            f"critic has valueClip {of_critic[0]} and learningRate {of_critic[1]}; the first must be positive, the "
            "second not negative"
        )
    _check_optimizer(loss.optimizer, found)


def _check_correction(correction: MismatchCorrection, old_logprobs: str, found: Problems) -> None:
    bounds = (correction.low, correction.high)
    if None not in bounds and not (bounds[0] >= 0 and bounds[1] > bounds[0]):
        found.add(
            f"mismatchCorrection goes from {bounds[0]} to {bounds[1]}; low must not be negative, and high above it"
        )
    if old_logprobs == "rollout":
        found.add("mismatchCorrection needs old log-probabilities that are not the engine's own")


def _check_optimizer(optimizer: Optimizer, found: Problems) -> None:
    betas = (optimizer.beta1, optimizer.beta2)
    if None not in betas and not all(0 <= beta < 1 for beta in betas):
        found.add(f"betas are {betas[0]} and {betas[1]}; each must be in [0, 1)")
    bounds = (optimizer.epsilon, optimizer.max_grad_norm)
    if None not in bounds and not min(bounds) > 0:
        found.add(f"epsilon is {bounds[0]} and maxGradNorm {bounds[1]}; both must be positive")
