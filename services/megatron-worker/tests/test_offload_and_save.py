"""The GPU is lent and taken back, and cuts are written beside other calls: training goes on to the same bits."""

import json
import os
import subprocess
import sys

import pytest
from megatron_worker import TRAINED, needs_megatron, same_bits
from worker_process import HERE

pytestmark = needs_megatron

ALL = ["weights", "optimizer", "gradients"]


@pytest.fixture(scope="module")
def twice(megatron):
    """Weights after one step and after two, without any offload or cut."""
    megatron.loads(arguments=TRAINED)
    assert megatron.trains(1).get("step") == 1
    first = megatron.exports()
    assert megatron.trains(2).get("step") == 2
    return first, megatron.exports()


def test_training_goes_on_to_the_same_bits_after_all_was_offloaded(megatron, twice):
    megatron.loads(arguments=TRAINED)
    megatron.trains(1)

    away = megatron.does("offload", what=ALL)
    # Two ranks' bfloat16-free model: its weights at least, in float32, and gradients and Adam's two moments as much each.
    assert away["bytes"] > 3 * 4 * 100_000
    assert megatron.does("offload", what=ALL)["bytes"] == 0
    back = megatron.does("onload", what=ALL)
    assert back["bytes"] == away["bytes"]

    megatron.trains(2)
    assert same_bits(megatron.exports(), twice[1])


def test_calls_that_need_what_is_offloaded_say_what_to_bring_back(megatron):
    megatron.loads(arguments=TRAINED)
    megatron.does("offload", what=["optimizer"])
    assert "layer" in " ".join(megatron.exports())  # weights are there
    error = megatron.trains(1)
    assert (error["code"], error["message"]) == ("not_loaded", "optimizer are offloaded")
    assert error["mend"] == "call /onload with optimizer first"
    megatron.does("offload", what=ALL)
    error = megatron.does("export", dir=str(megatron.data / "none"), version=1)
    assert error["mend"] == "call /onload with weights first"
    error = megatron.does("weights/send", engines=["http://127.0.0.1:9"], version=1, transport="tensor")
    assert error["mend"] == "call /onload with weights first"
    megatron.does("onload", what=["weights", "gradients", "optimizer"])
    assert megatron.trains(1)["step"] == 1


def test_a_cut_holds_the_step_that_it_was_asked_at_while_the_next_one_is_trained(megatron, twice):
    megatron.loads(arguments=TRAINED)
    megatron.trains(1)
    cut = megatron.data / "cut-beside"

    saving = megatron.started("save", dir=str(cut), asynchronous=True)
    megatron.trains(2)
    written = megatron.ended(saving)

    assert written["dir"] == str(cut) and (cut / "manifest.json").is_file()
    assert not list(cut.rglob(".written*"))
    assert megatron.loads(cut, TRAINED)["step"] == 1
    assert same_bits(megatron.exports(), twice[0])
    megatron.trains(2)
    assert same_bits(megatron.exports(), twice[1])


def test_a_cut_before_the_first_step_is_one_too(megatron, twice):
    megatron.loads(arguments=TRAINED)
    cut = megatron.data / "cut-first"
    assert "manifestSha256" in megatron.does("save", dir=str(cut))
    assert megatron.loads(cut, TRAINED)["step"] == 0
    megatron.trains(1)
    assert same_bits(megatron.exports(), twice[0])


def test_a_full_disk_is_told_as_one(tmp_path):
    child = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / "saving_on_a_full_disk.py"), str(tmp_path / "cut")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    told = json.loads(child.stdout.splitlines()[-1])
    assert told["code"] == "disk_full"
    assert told["message"] == f"{tmp_path / 'cut'} cannot be written: No space left on device"
