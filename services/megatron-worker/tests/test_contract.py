"""What the trainer's records send is read, and what they read is answered: names and types come from their Java sources."""

import json

import pytest
from java_records import SOURCES, Records
from megatron_process import needs_megatron

from sluice_megatron import wire
from sluice_megatron.errors import STATUS
from sluice_megatron.fields import Fields, Problems

pytestmark = pytest.mark.skipif(not SOURCES.is_dir(), reason="common/worker-api is not beside this package")

REQUESTS = {
    "load": "LoadRequest",
    "forward": "ForwardRequest",
    "train": "TrainRequest",
    "export": "ExportRequest",
    "save": "SaveRequest",
    "connect": "ConnectRequest",
    "send": "SendRequest",
    "offload": "OffloadRequest",
    "onload": "OnloadRequest",
    "shutdown": "ShutdownRequest",
}
# What an address, an algorithm and the like must look like, beside their types.
SENT = {
    "connect": {"engines": [{"address": "http://127.0.0.1:1", "ranks": 1}], "backend": "nccl"},
    "send": {"engines": ["http://127.0.0.1:1"], "bucketBytes": 1 << 20},
    "train": {"loss.algorithm": "grpo"},
}


@pytest.fixture(scope="module")
def records():
    return Records()


def sent(records: Records, verb: str) -> dict:
    body = records.example(REQUESTS[verb])
    for name, value in SENT.get(verb, {}).items():
        place, *nested = name.split(".")
        if nested:
            body[place][nested[0]] = value
        else:
            body[name] = value
    if verb == "train":
        body["loss"] |= {"dualClip": 3.0, "oldLogprobs": "batch"}
        body["loss"]["mismatchCorrection"] |= {"low": 0.5, "high": 2.0}
        body["loss"]["optimizer"] |= {"beta1": 0.9, "beta2": 0.98}
    return body


@pytest.mark.parametrize("verb", REQUESTS)
def test_every_component_of_a_request_is_read(records, verb):
    call = wire.read_call(verb, json.dumps(sent(records, verb)).encode())

    assert (call.epoch, call.operation_id) == (1, "a")


@pytest.mark.parametrize("verb", REQUESTS)
def test_nothing_is_asked_of_a_request_that_its_record_lacks_or_may_leave_out(records, verb):
    components = {one.name: one for one in records.of(REQUESTS[verb])}
    problems = Problems()
    fields = Fields({}, problems)
    wire._READERS[verb](fields)

    asked = set(fields._asked)

    assert asked == set(components)
    missing = {text.removesuffix(" is missing") for text in problems.text().split("; ") if text.endswith(" is missing")}
    # Nullable for a checkpoint is what LoadRequest says in its constructor: a cut may stand for it.
    assert not [name for name in missing if components[name].may_be_absent and name != "groupName"]


def test_refusals_have_the_codes_and_statuses_of_worker_error_code(records):
    of_clients = ("unreachable", "deadline", "unknown")
    assert STATUS == {code: status for code, status in records.errors.items() if code not in of_clients}


def test_an_answer_that_another_release_would_read_is_told_apart(records):
    told = records.problems("MemoryMoved", {"before": {"allocated": 1}, "bytes": 1.5, "usedBefore": 1, "seconds": 1})
    assert told == [
        "before is unknown to MemoryMoved",
        "bytes is 1.5, no long",
        "usedAfter is missing",
    ]


@needs_megatron
def test_every_answer_is_what_its_record_reads(records, megatron, tmp_path):
    from megatron_worker import FIXTURES, TRAINED

    def check(record: str, value: object):
        assert records.problems(record, value) == []

    check("WorkerHealth", megatron.call("GET", "/health")[1])
    check("WorkerInfo", megatron.call("GET", "/info")[1])
    check("LoadResult", megatron.loads(arguments=TRAINED))
    check("TrainResult", megatron.trains(1))
    check("WorkerHealth", megatron.call("GET", "/health")[1])
    batch = next(file for file in sorted(megatron.data.glob("batch-*.safetensors"), reverse=True))
    forward = {"batch": str(batch), "model": "policy", "want": ["logprobs", "entropy"]}
    check("ForwardResult", megatron.does("forward", out=str(megatron.data / "contract.safetensors"), **forward))
    check("FilesWritten", megatron.does("export", dir=str(megatron.data / "contract-hf"), version=1))
    check("FilesWritten", megatron.does("save", dir=str(megatron.data / "contract-cut")))
    check("MemoryMoved", megatron.does("offload", what=["weights", "optimizer", "gradients"]))
    check("MemoryMoved", megatron.does("onload", what=["weights", "optimizer", "gradients"]))
    name = megatron.started("load", runId="r", checkpoint=str(FIXTURES / "none"), hfConfig=str(FIXTURES))
    failed = megatron.await_end(name)
    check("Operation", failed)
    check("WorkerError", failed["error"])
    status, refused = megatron.post("offload", "contract-refused", what=["everything"])
    assert status == 400
    check("WorkerError", refused)
