"""The measuring program of `sluice doctor`, over two real processes on the CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

from sluice_megatron.bandwidth import bus_bandwidth

PACKAGE = Path(__file__).resolve().parent.parent


def run(*arguments: str, launcher: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *launcher, "-m", "sluice_megatron.bandwidth", *arguments],
        cwd=PACKAGE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_bus_bandwidth_is_that_of_nccl_tests():
    # PERFORMANCE.md of nccl-tests: busbw = algbw * 2 (n - 1) / n; 8 ranks, 1 GB in 4 ms: 250 * 1.75.
    assert bus_bandwidth(1_000_000_000, 0.004, 8) == 437.5


def test_two_ranks_measure_and_one_line_tells():
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = run("--backend", "gloo", "--mib", "1", "2", launcher=launcher)

    lines = [line for line in done.stdout.splitlines() if line.startswith("bandwidth ")]
    assert (done.returncode, len(lines)) == (0, 1), done.stderr[-2000:]
    report = json.loads(lines[0].removeprefix("bandwidth "))
    assert report["ranks"] == 2
    assert [row["bytes"] for row in report["rows"]] == [1 << 20, 2 << 20]
    # Two ranks: what each row says must follow from its own size and seconds.
    assert all(abs(row["busGBps"] - row["bytes"] / row["seconds"] / 1e9) < 0.01 for row in report["rows"])


def test_without_torchrun_it_says_how_it_is_started():
    done = run(launcher=())

    assert done.returncode == 2
    assert "torch.distributed.run" in done.stderr
