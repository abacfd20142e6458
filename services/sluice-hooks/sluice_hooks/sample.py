"""The attributes of slime's Sample that functions read and write, without torch."""

import sys
import types
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from importlib.util import find_spec
from typing import Any


@dataclass
class Sample:
    """One response. Names and meanings are slime's (slime/utils/types.py); keys it does not know become attributes."""

    class Status(Enum):
        PENDING = "pending"
        COMPLETED = "completed"
        TRUNCATED = "truncated"
        ABORTED = "aborted"
        FAILED = "failed"

    group_index: int | None = None
    index: int | None = None
    prompt: str | list[dict[str, Any]] = ""
    tokens: list[int] = field(default_factory=list)
    multimodal_inputs: dict[str, Any] | None = None
    response: str = ""
    response_length: int = 0
    label: str | None = None
    reward: float | dict[str, Any] | None = None
    loss_mask: list[int] | None = None
    weight_versions: list[str] = field(default_factory=list)
    rollout_log_probs: list[float] | None = None
    remove_sample: bool = False
    status: Status = Status.PENDING
    metadata: dict[str, Any] = field(default_factory=dict)
    generate_function_path: str | None = None
    custom_rm_path: str | None = None
    train_metadata: dict[str, Any] | None = None
    session_id: str | None = None
    non_generation_time: float = 0.0

    @staticmethod
    def from_dict(data: dict[str, Any]) -> "Sample":
        known = {one.name for one in fields(Sample)}
        sample = Sample(**{key: value for key, value in data.items() if key in known and value is not None})
        sample.status = Sample.Status(data.get("status") or "completed")
        for key, value in data.items():
            if key not in known:
                setattr(sample, key, value)
        return sample

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "status": self.status.value}

    def get_reward_value(self, args: Any) -> Any:
        return self.reward[args.reward_key] if getattr(args, "reward_key", None) else self.reward

    @property
    def effective_response_length(self) -> int:
        return self.response_length if self.loss_mask is None else sum(self.loss_mask)


@dataclass
class DynamicFilterOutput:
    """What a dynamic filter says of a group."""

    keep: bool
    reason: str | None = None
    keep_when_insufficient: bool = False


def stand_in_for_slime() -> None:
    """Lets `from slime.utils.types import Sample` and `slime.utils.http_utils.post` work where slime is not installed."""
    from .router import post

    if "slime" in sys.modules or find_spec("slime") is not None:
        return
    for name, content in {
        "slime": {},
        "slime.utils": {},
        "slime.utils.types": {"Sample": Sample},
        "slime.utils.http_utils": {"post": post},
        "slime.rollout": {},
        "slime.rollout.filter_hub": {},
        "slime.rollout.filter_hub.base_types": {"DynamicFilterOutput": DynamicFilterOutput},
    }.items():
        module = types.ModuleType(name)
        module.__path__ = []
        module.__dict__.update(content)
        sys.modules[name] = module
