"""A worker on the CPU of a machine that is made for GPUs."""

import os
import subprocess
import sys
from pathlib import Path

from megatron_process import needs_megatron

PACKAGE = Path(__file__).resolve().parents[1]


@needs_megatron
def test_on_the_cpu_a_transformer_engine_that_is_installed_is_left_alone(tmp_path):
    installed = tmp_path / "transformer_engine"
    installed.mkdir()
    (installed / "__init__.py").write_text("raise SystemExit('it wants a GPU')")
    paths = os.pathsep.join([str(tmp_path), str(PACKAGE), os.environ.get("PYTHONPATH", "")])
    asked = "from sluice_megatron import arguments; print(arguments.transformer_engine_installed())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", asked],
        env=os.environ | {"PYTHONPATH": paths, "SLUICE_WORKER_DEVICE": "cpu"},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
