"""The calls of the training-worker API.

They are the records of common/worker-api, field by field and with the same rules. A field that is missing where it is
needed, unknown, or of another type refuses the call, and a refusal names all of them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sluice_megatron.fields import Fields, Problems, object_of
from sluice_megatron.loss_config import LossConfig, loss_of

MODELS = ("policy", "reference", "teacher", "critic")
WANTS = ("logprobs", "entropy", "values")
HELD = ("weights", "optimizer", "gradients")

_NAME = re.compile(r"[A-Za-z0-9._:-]{1,120}")
_NAME_MEND = "send 1 to 120 characters of A-Z a-z 0-9 . _ : -"
_BUCKET_BYTES = 512 << 20
_MOST_BUCKET_BYTES = 64 << 30
_SEND_SECONDS = 600.0


@dataclass(frozen=True)
class Call:
    """What every call carries: the caller's epoch in the run, and an id for each piece of work."""

    epoch: int
    operation_id: str

    def content(self) -> "Call":
        """What it asks for, whoever asks: a trainer's successor repeats its calls with a higher epoch."""
        return replace(self, epoch=0)


@dataclass(frozen=True)
class LoadRequest(Call):
    """Take up a run's model, from a torch_dist checkpoint or from a cut; ``args`` are the plan's Megatron arguments, ``tensors``
    the path of the table of Hugging Face tensors in Megatron's (TensorTable of common/checkpoint)."""

    run_id: str
    checkpoint: str | None
    reference: str | None
    teacher: str | None
    critic: str | None
    hf_config: str
    args: tuple[str, ...]
    resume_from: str | None
    tensors: str | None = None


@dataclass(frozen=True)
class ForwardRequest(Call):
    """Values by token of a batch into the safetensors file ``out``."""

    batch: str
    model: str
    want: frozenset[str]
    out: str


@dataclass(frozen=True)
class TrainRequest(Call):
    """One step: all optimizer steps of one batch. ``renew_reference``: the policy becomes the reference afterwards."""

    step: int
    batch: str
    model: str
    loss: LossConfig
    renew_reference: bool


@dataclass(frozen=True)
class ExportRequest(Call):
    """The policy's weights in the Hugging Face format."""

    dir: str
    version: int
    dtype: str


@dataclass(frozen=True)
class SaveRequest(Call):
    """A cut; ``asynchronous``: the worker takes a copy, answers, and writes while it takes other calls."""

    dir: str
    asynchronous: bool


@dataclass(frozen=True)
class ShutdownRequest(Call):
    """Finish what is running, then end."""


@dataclass(frozen=True)
class Member:
    """An engine of the group that carries weights; ``ranks`` are its GPUs."""

    address: str
    ranks: int


@dataclass(frozen=True)
class ConnectRequest(Call):
    """Form the process group that carries weights: rank 0 is this worker's, the engines' ranks follow in order.

    The worker asks the engines itself, to leave the group of before and to join this one, which meets at
    ``master_address``, a host of rank 0.
    """

    master_address: str
    master_port: int
    group_name: str
    engines: tuple[Member, ...]
    backend: str

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(member.address for member in self.engines)

    @property
    def world_size(self) -> int:
        return 1 + sum(member.ranks for member in self.engines)


@dataclass(frozen=True)
class SendRequest(Call):
    """Put the policy's weights into running engines, as the version ``version``.

    ``transport`` is ``nccl`` (``/update_weights_from_distributed`` over the group of the last connect) or ``tensor``
    (``/update_weights_from_tensor``: handles of memory on the same GPU). ``engines`` are the addresses that are told
    of each bucket, those of the group or of this worker's GPUs in order; None: the group's, or those of the last send.
    ``flush_cache`` must be off while engines are paused with requests in them: SGLang dies of it.
    """

    engines: tuple[str, ...] | None
    version: int
    transport: str
    group_name: str
    flush_cache: bool
    bucket_bytes: int
    timeout_seconds: float


@dataclass(frozen=True)
class OffloadRequest(Call):
    """Move what the GPU holds of these to the host, or drop what can be made again."""

    what: frozenset[str]


@dataclass(frozen=True)
class OnloadRequest(Call):
    """Bring back what was offloaded."""

    what: frozenset[str]


def read_call(verb: str, body: bytes) -> Call:
    """Reads the body of a call; raises invalid_request with all that is wrong."""
    problems = Problems()
    fields = Fields(object_of(body), problems)
    call = _READERS[verb](fields)
    fields.end()
    problems.refuse()
    return call


def _caller(fields: Fields) -> tuple[int, str]:
    return fields.whole("epoch", least=0), fields.text("operationId", pattern=_NAME, mend=_NAME_MEND)


def _load(fields: Fields) -> LoadRequest:
    caller = _caller(fields)
    resume_from = fields.text("resumeFrom", None)
    return LoadRequest(
        *caller,
        run_id=fields.text("runId"),
        checkpoint=fields.text("checkpoint") if resume_from is None else fields.text("checkpoint", None),
        reference=fields.text("reference", None),
        teacher=fields.text("teacher", None),
        critic=fields.text("critic", None),
        hf_config=fields.text("hfConfig"),
        args=fields.texts("args", ()),
        resume_from=resume_from,
        tensors=fields.text("tensors", None),
    )


def _forward(fields: Fields) -> ForwardRequest:
    return ForwardRequest(
        *_caller(fields),
        batch=fields.text("batch"),
        model=fields.choice("model", MODELS),
        want=frozenset(fields.texts("want", among=WANTS) or ()),
        out=fields.text("out"),
    )


def _train(fields: Fields) -> TrainRequest:
    return TrainRequest(
        *_caller(fields),
        step=fields.whole("step"),
        batch=fields.text("batch"),
        model=fields.choice("model", MODELS),
        loss=loss_of(fields.part("loss"), fields.problems),
        renew_reference=fields.flag("renewReference"),
    )


def _export(fields: Fields) -> ExportRequest:
    return ExportRequest(
        *_caller(fields),
        dir=fields.text("dir"),
        version=fields.whole("version"),
        dtype=fields.text("dtype", "float32"),
    )


def _save(fields: Fields) -> SaveRequest:
    return SaveRequest(*_caller(fields), dir=fields.text("dir"), asynchronous=fields.flag("asynchronous"))


def _connect(fields: Fields) -> ConnectRequest:
    call = ConnectRequest(
        *_caller(fields),
        master_address=fields.text("masterAddress"),
        master_port=fields.whole("masterPort", least=1, most=65535),
        group_name=fields.text("groupName", pattern=_NAME, mend=_NAME_MEND),
        engines=tuple(_member(part) for part in fields.parts("engines") or ()),
        backend=fields.choice("backend", ("nccl", "gloo"), "nccl"),
    )
    _check_engines(fields, call.addresses)
    return call


def _member(fields: Fields) -> Member:
    member = Member(fields.text("address"), fields.whole("ranks", least=1))
    fields.end()
    return member


def _check_engines(fields: Fields, addresses: Iterable[str | None]):
    told = [address for address in addresses if address is not None]
    for address in told:
        if not _is_engine(address):
            fields.problems.add(f"engine {address[:80]!a} is no address", "send http://HOST:PORT")
    if len(set(told)) < len(told):
        fields.problems.add("engines names one twice", "name each engine once")


def _send(fields: Fields) -> SendRequest:
    call = SendRequest(
        *_caller(fields),
        engines=fields.texts("engines", None),
        version=fields.whole("version", least=0),
        transport=fields.choice("transport", ("nccl", "tensor")),
        group_name=fields.text("groupName", "", pattern=_NAME, mend=_NAME_MEND),
        flush_cache=fields.flag("flushCache"),
        bucket_bytes=fields.whole("bucketBytes", _BUCKET_BYTES, least=1 << 20, most=_MOST_BUCKET_BYTES),
        timeout_seconds=fields.number("timeoutSeconds", _SEND_SECONDS),
    )
    if call.transport == "nccl" and not call.group_name:
        fields.problems.add("groupName is missing", "send the name that /weights/connect was given")
    if call.engines is not None and not call.engines:
        fields.problems.add("engines is empty", "name an engine, or leave it out for those of the last send")
    _check_engines(fields, call.engines or ())
    if call.timeout_seconds is not None and not call.timeout_seconds > 0:
        fields.problems.add(f"timeoutSeconds is {call.timeout_seconds}; it must be positive")
    return call


def _is_engine(address: str) -> bool:
    try:
        url = urlsplit(address)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0 and "@" not in url.netloc
    except ValueError:
        return False


def _held(fields: Fields) -> frozenset[str]:
    what = fields.texts("what", among=HELD)
    if what == ():
        fields.problems.add("what is empty", f"name some of {', '.join(HELD)}")
    return frozenset(what or ())


_READERS = {
    "load": _load,
    "forward": _forward,
    "train": _train,
    "export": _export,
    "save": _save,
    "connect": _connect,
    "send": _send,
    "offload": lambda fields: OffloadRequest(*_caller(fields), what=_held(fields)),
    "onload": lambda fields: OnloadRequest(*_caller(fields), what=_held(fields)),
    "shutdown": lambda fields: ShutdownRequest(*_caller(fields)),
}
