"""Loads that cannot be are refused with what is wrong and what to do, before anything is held."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
from megatron_process import HERE, needs_megatron

pytestmark = needs_megatron


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    environment = os.environ | {
        "SLUICE_WORKER_DEVICE": "cpu",
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-W", "ignore", str(HERE / "refused_loads.py"), str(tmp_path_factory.mktemp("refused"))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("unknown flag", "invalid_request", "unrecognized arguments: --no-such-flag 3"),
        ("ranks that are not there", "invalid_request", "world size (1) is not divisible by total_model_size"),
        ("no DeepEP", "unsupported", "Megatron cannot use it here: No module named 'deep_ep'"),
        ("no number", "invalid_request", "argument --moe-router-topk: invalid int value: 'x'"),
        ("another model", "bad_checkpoint", "decoder.layers.0.self_attention.linear_proj.weight is missing"),
        ("another width", "bad_checkpoint", "linear_fc2.weight has the shape [64, 160], the model [64, 128]"),
        ("no checkpoint", "bad_checkpoint", "holds no .metadata"),
        ("a checkpoint that runs code", "bad_checkpoint", "it names posix.system, which no checkpoint needs"),
        ("outside", "path_refused", "'/etc' is not an absolute path in one of"),
        ("nothing loaded", "not_loaded", "no policy is loaded"),
    ],
)
def test_a_call_that_cannot_be_says_why_and_what_to_do(said, case, code, words):
    if case == "no DeepEP" and importlib.util.find_spec("deep_ep"):
        pytest.skip("DeepEP is here")
    assert said[case][0] == code
    assert words in said[case][1]
    assert said[case][2]
