"""All that is checked of the worker on a machine with GPUs: its tests there, a resumed run, two and four ranks against one, a
step beside bare Megatron, what a call costs beside its computing, a rank's share.

python tests/gpu/verify.py [--quick]. As many checks at once as there are GPUs for, and beside them the tests that compute on the
CPU. Prints a table; the last line is JSON. Exit code 1 if a check failed. Two ranks need two GPUs, four four, all else one.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import gpus

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]


@dataclass(frozen=True)
class Check:
    """``gpus`` is how many it uses, of fewer all that there are, 0 for a check on the CPU; ``wide`` of a model at real width."""

    name: str
    command: list[str]
    gpus: int = 1
    wide: bool = False


def script(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", str(HERE / name), *arguments]


def tests(*names: str) -> Check:
    return Check(f"tests: {', '.join(names)}", pytest(*(f"tests/test_{name}.py" for name in names)), gpus=0)


def pytest(*arguments: str) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]


# Each starts when all before it have started and enough GPUs are free: those on the CPU at once, and of the others those that
# take long first.
CHECKS = [
    tests("step"),
    tests("families"),
    tests("offload_and_save"),
    tests("refusals", "sync", "buckets"),
    tests("scores", "losses", "batch", "packing"),
    Check("ranks against one", script("ranks.py", "--seconds", "600"), gpus=4),
    Check("a resumed run's bits", script("resume.py")),
    Check("one rank's share of the recipe", script("share.py"), wide=True),
    Check("tests on a GPU", pytest("-k", "cuda", "tests")),
    Check("a call beside its computing", script("control.py")),
    Check("a step at real width", script("speed.py"), wide=True),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out what steps a model at real width")
    options = parser.parse_args()
    pool = gpus.Pool()
    if not pool.count:
        print("no GPU is here", file=sys.stderr)
        return 1
    checks = [check for check in CHECKS if not (options.quick and check.wide)]
    with ThreadPoolExecutor(len(checks)) as threads:
        told = {}
        for check in checks:
            taken = pool.take(min(check.gpus, pool.count))
            told[check.name] = threads.submit(run, check, taken, pool)
    results = {name: row.result() for name, row in told.items()}
    print(json.dumps(results))
    return 1 if any(result["status"] == "failed" for result in results.values()) else 0


def run(check: Check, taken: list[str], pool: gpus.Pool) -> dict[str, object]:
    """Runs a check on what it took and prints its row; its last line on stdout is what it says."""
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
    began = time.monotonic()
    try:
        environment = os.environ | {"PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": ",".join(taken)}
        done = subprocess.run(check.command, cwd=PACKAGE, env=environment, capture_output=True, text=True)
    finally:
        pool.give_back(taken)
    seconds = time.monotonic() - began
    lines = (done.stdout if done.stdout.strip() else done.stderr).strip().splitlines()
    said = lines[-1] if lines else ""
    status = "ok" if done.returncode == 0 else "failed"
    print(f"{check.name:32} {status:7} {seconds:6.0f} s  {said[:1000]}", flush=True)
    if status == "failed":
        print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), file=sys.stderr, flush=True)
    return {"status": status, "seconds": round(seconds, 1), "said": said}


if __name__ == "__main__":
    sys.exit(main())
