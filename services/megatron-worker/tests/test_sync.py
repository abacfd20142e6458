"""Weights of two ranks into engines: over a process group, and as pickled tensors; what an engine's refusal does."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from java_records import SOURCES, Records
from megatron_worker import ENGINE_TOKEN, FIXTURES, needs_megatron, same_bits, tensors_of
from safetensors.torch import load_file
from worker_process import HERE, PATIENCE, until

pytestmark = needs_megatron

# Heads that the model shares with its multi-token-prediction layer: engines share them too.
COPIES = {"model.layers.3.embed_tokens.weight", "model.layers.3.shared_head.head.weight"}


class EngineProcess:
    def __init__(self, folder: Path, *flags: str):
        folder.mkdir()
        self._shown = folder / "weights.safetensors"
        port_file = folder / "port"
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "engine_process.py"), "--port-file", str(port_file), *flags]
        )
        until(lambda: (port_file.exists() and port_file.read_text()) or self.process.poll() is not None)
        self.address = f"http://127.0.0.1:{port_file.read_text()}"

    def asks(self, path: str, **body: object) -> dict:
        request = urllib.request.Request(
            self.address + path, json.dumps(body).encode(), {"Authorization": f"Bearer {ENGINE_TOKEN}"}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=PATIENCE) as reply:
            return json.loads(reply.read())

    def weights(self) -> dict:
        self.asks("/show", file=str(self._shown))
        return load_file(self._shown)

    def told(self) -> dict:
        return self.asks("/show", file=str(self._shown))


@pytest.fixture
def engines(tmp_path):
    started: list[EngineProcess] = []

    def start(*flags: str) -> EngineProcess:
        started.append(EngineProcess(tmp_path / f"engine-{len(started)}", *flags))
        return started[-1]

    yield start
    for engine in started:
        engine.process.kill()
        engine.process.wait()


@pytest.fixture(scope="module", autouse=True)
def loaded(megatron):
    assert megatron.loads().get("step") == 0


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def connect(worker, name: str, *engines: EngineProcess) -> dict:
    members = [{"address": engine.address, "ranks": 1} for engine in engines]
    meeting = {"masterAddress": "127.0.0.1", "masterPort": free_port(), "groupName": name, "backend": "gloo"}
    return worker.does("weights/connect", engines=members, **meeting)


def of_the_model() -> dict:
    source = tensors_of(FIXTURES / "hf_tiny")
    return {name: tensor for name, tensor in source.items() if name not in COPIES}


def test_every_engine_of_a_group_gets_every_tensor_to_the_bit(megatron, engines):
    first, second = engines(), engines()
    connected = connect(megatron, "both", first, second)

    sent = megatron.does("weights/send", version=7, transport="nccl", groupName="both")

    assert same_bits(first.weights(), of_the_model())
    assert same_bits(second.weights(), of_the_model())
    assert sent["tensors"] == len(of_the_model())
    assert first.told()["version"] == second.told()["version"] == "7"
    if SOURCES.is_dir():
        assert Records().problems("Connected", connected) == Records().problems("Sent", sent) == []
    assert megatron.call("GET", "/health")[1]["weightVersion"] == 7


def test_an_engine_has_the_version_and_forgets_its_cache_with_the_last_bucket_only(megatron, engines):
    engine = engines("--refuse", "2")
    connect(megatron, "refused", engine)

    error = megatron.does(
        "weights/send",
        engines=[engine.address],
        version=8,
        transport="nccl",
        groupName="refused",
        flushCache=True,
        bucketBytes=1 << 20,
    )

    assert error["code"] == "internal"
    assert f"bucket 2 of 2 of version 8 did not get into all of 1 engines ({engine.address})" in error["message"]
    assert "answered /update_weights_from_distributed with 400: Failed to update parameter online" in error["message"]
    assert "weights are undefined" in error["mend"] and "connect under another groupName" in error["mend"]
    assert engine.told()["version"] == "default"
    assert [call["flush_cache"] for call in engine.told()["calls"]] == [False, True]
    # The worker goes on, without that group.
    assert megatron.call("GET", "/health")[1]["state"] == "ready"
    error = megatron.does("weights/send", version=8, transport="nccl", groupName="refused")
    assert (error["code"], error["message"]) == ("invalid_request", "the worker is in no group, not in refused")
    engine = engines()
    connect(megatron, "refused-2", engine)
    sent = megatron.does("weights/send", engines=[engine.address], version=8, transport="nccl", groupName="refused-2")
    assert sent["tensors"] and engine.told()["version"] == "8"


def test_each_rank_of_an_engine_gets_a_pickle_of_its_own_that_safe_unpicklers_let_in(megatron, engines):
    engine = engines("--ranks", "2")

    sent = megatron.does("weights/send", engines=[engine.address], version=9, transport="tensor")

    assert sent["tensors"] == len(of_the_model())
    assert same_bits(engine.weights(), of_the_model())
    assert engine.told()["version"] == "9"
    engine = engines("--ranks", "3")
    error = megatron.does("weights/send", engines=[engine.address], version=9, transport="tensor")
    assert "the engines have 3 GPUs, this worker's ranks 2" in error["message"]


def test_the_next_group_begins_when_worker_and_engines_have_left_the_one_before(megatron, engines):
    first, second = engines(), engines()
    connect(megatron, "one", first)

    connect(megatron, "two", second, first)

    assert first.told()["groups"] == ["two"]
    # Named in any order, all of them take each bucket.
    megatron.does("weights/send", engines=[first.address, second.address], version=3, transport="nccl", groupName="two")
    assert same_bits(first.weights(), of_the_model()) and same_bits(second.weights(), of_the_model())
    error = megatron.does("weights/send", engines=[first.address], version=4, transport="nccl", groupName="two")
    assert (
        error["code"] == "invalid_request"
        and f"those of the group {second.address}, {first.address}" in (error["message"])
    )


def test_a_group_that_one_engine_refuses_fails_at_once_and_names_it(megatron, engines):
    willing, refusing = engines(), engines("--refuse-groups")
    began = time.monotonic()

    error = connect(megatron, "never", willing, refusing)

    # The willing one waits for the other for 100 s; this worker would for 120.
    assert time.monotonic() - began < 60
    assert error["code"] == "internal"
    assert f"{refusing.address} answered /init_weights_update_group with 400: Failed to initialize" in error["message"]
    assert "end the engines that had agreed" in error["mend"]
    after = engines()
    assert connect(megatron, "after", after)["groupName"] == "after"


def test_an_engine_that_is_not_there_fails_the_group(megatron, engines):
    there = engines()
    gone = engines()
    gone.process.kill()
    gone.process.wait()
    error = connect(megatron, "gone", there, gone)
    assert f"{gone.address} cannot be asked /init_weights_update_group" in error["message"]


def test_engines_that_do_not_answer_are_named(megatron):
    error = megatron.does("weights/send", engines=["http://127.0.0.1:9"], version=9, transport="tensor")
    assert "http://127.0.0.1:9 cannot be asked /server_info" in error["message"]


def test_an_engine_that_is_late_is_named(megatron):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = megatron.does("weights/send", engines=[address], version=9, transport="tensor", timeoutSeconds=1.0)
    assert f"{address} did not answer /server_info in time" in error["message"]


def test_a_port_that_is_taken_and_a_group_that_cannot_be_are_refused(megatron):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        meeting = {
            "masterAddress": "127.0.0.1",
            "masterPort": taken.getsockname()[1],
            "engines": [{"address": "http://127.0.0.1:9", "ranks": 1}],
            "groupName": "taken",
        }
        error = megatron.does("weights/connect", backend="gloo", **meeting)
    assert (error["code"], error["mend"]) == ("internal", "send another masterPort")
    error = megatron.does("weights/connect", **meeting)
    assert (error["code"], error["mend"]) == ("unsupported", "send the backend gloo")
