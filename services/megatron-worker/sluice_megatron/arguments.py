"""The plan's Megatron arguments, read by Megatron's own parser and adapted to what is installed here."""

import contextlib
import importlib.util
import io
import os
import sys
from argparse import Namespace
from dataclasses import dataclass

from sluice_megatron.errors import WorkerError

# Megatron asks for these only to refuse or to print; batches bring their own sizes.
_GIVEN = (
    "--micro-batch-size",
    "1",
    "--no-load-rng",
    "--no-save-rng",
    "--no-masked-softmax-fusion",
    "--ckpt-format",
    "torch_dist",
)


@dataclass(frozen=True)
class Adapted:
    """Megatron's namespace, and what of the plan was left out because nothing here can do it."""

    args: Namespace
    left_out: tuple[str, ...]


def transformer_engine_installed() -> bool:
    """Whether Megatron found TransformerEngine."""
    from megatron.core.extensions.transformer_engine import HAVE_TE

    return HAVE_TE


def read(plan: list[str], world_size: int, device: str = "cuda") -> Adapted:
    """Reads a plan's arguments for ``world_size`` ranks.

    Raises WorkerError (invalid_request) with Megatron's own words where it rejects one.
    """
    from megatron.training import arguments as megatron

    plan, left_out = _adapt(list(plan), device)
    said = io.StringIO()
    before = sys.argv
    sys.argv = ["sluice-megatron-worker", *_GIVEN, *plan]
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            args = megatron.parse_args()
            args.world_size = world_size
            args.rank = int(os.environ.get("RANK", "0"))
            if args.train_iters is None and args.train_samples is None:
                args.train_iters = 1
            args = megatron.validate_args(args)
    except SystemExit as e:
        raise WorkerError("invalid_request", f"Megatron refuses the arguments: {_last_line(said)}", _MEND) from e
    except (AssertionError, ValueError, RuntimeError, TypeError) as e:
        raise WorkerError("invalid_request", f"Megatron refuses the arguments: {e or _last_line(said)}", _MEND) from e
    finally:
        sys.argv = before
    _refuse_missing_deep_ep(args)
    if args.vocab_size is None:
        raise WorkerError(
            "invalid_request", "the arguments lack --vocab-size", "give the model's shape as the plan does"
        )
    args.padded_vocab_size = _padded(args)
    return Adapted(args, tuple(left_out))


_MEND = "correct training.megatron or training.layout of the request; `sluice plan --args` shows the list"


def refuse_wrong_gradients(args: Namespace):
    """Megatron-Core 0.19.2's local modules give the rotary part of MLA's keys the gradient of one rank's heads alone."""
    tensor = args.tensor_model_parallel_size
    if args.transformer_impl == "local" and args.multi_latent_attention and tensor > 1:
        raise WorkerError(
            "unsupported",
            f"MLA over {tensor} tensor-parallel ranks trains rightly with TransformerEngine in half precision alone",
            "install transformer-engine and train in bf16, or set training.layout.tp to 1",
        )


def _refuse_missing_deep_ep(args: Namespace):
    """What megatron/core/transformer/moe/fused_a2a.py imports; where that fails, it says that nothing is installed."""
    if args.moe_token_dispatcher_type != "flex" or args.moe_flex_dispatcher_backend != "deepep":
        return
    try:
        from deep_ep import Buffer  # noqa: F401
        from deep_ep.utils import EventHandle, EventOverlap  # noqa: F401
    except ImportError as e:
        raise WorkerError(
            "unsupported",
            f"DeepEP is asked for, and Megatron cannot use it here: {e}",
            "build DeepEP 1.x from github.com/deepseek-ai/DeepEP for the torch that is installed here, or train with "
            "--moe-token-dispatcher-type alltoall",
        ) from e


def _last_line(said: io.StringIO) -> str:
    lines = [line for line in said.getvalue().splitlines() if line.strip()]
    return lines[-1].split("error: ")[-1] if lines else "without a word"


def _padded(args: Namespace) -> int:
    multiple = args.make_vocab_size_divisible_by * args.tensor_model_parallel_size
    return -(-args.vocab_size // multiple) * multiple


def _adapt(plan: list[str], device: str) -> tuple[list[str], list[str]]:
    """Kernels that are not installed are not asked for; modules of Megatron-Core and ours compute the same."""
    left_out: list[str] = []
    # TransformerEngine's attention over packed sequences is for half precision alone.
    half = "--bf16" in plan or "--fp16" in plan
    if not transformer_engine_installed() or not half or device == "cpu":
        if "--moe-permute-fusion" in plan:
            plan.remove("--moe-permute-fusion")
            left_out.append("--moe-permute-fusion")
        plan = _without_value(plan, "--attention-backend", left_out)
        plan = _without_value(plan, "--transformer-impl", [])
        plan += ["--transformer-impl", "local", "--no-persist-layer-norm", "--no-rope-fusion"]
        # Megatron's local modules need Apex for it.
        plan.append("--no-gradient-accumulation-fusion")
    elif importlib.util.find_spec("flash_attn") is None and importlib.util.find_spec("flash_attn_3") is None:
        # What is named alone is used alone, and cuDNN's is there.
        plan = _without_value(plan, "--attention-backend", left_out)
    if device == "cpu":
        plan += ["--no-bias-swiglu-fusion"]
    return plan, left_out


def _without_value(plan: list[str], flag: str, left_out: list[str]) -> list[str]:
    if flag not in plan:
        return plan
    at = plan.index(flag)
    left_out.append(" ".join(plan[at : at + 2]))
    return plan[:at] + plan[at + 2 :]
