"""All that is checked of the worker on a machine with GPUs: its tests there, a resumed run, two ranks against one, a step beside
bare Megatron, what a call costs beside its computing, a rank's share.

python tests/gpu/verify.py [--quick]. Prints a table; the last line is JSON. Exit code 1 if a check failed. Two ranks need two
GPUs, all else one.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out what steps a model at real width")
    options = parser.parse_args()
    pytest = [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    checks = {
        "losses, batches, packing": [*pytest, "tests/test_losses.py", "tests/test_batch.py", "tests/test_packing.py"],
        "families of the converter": [*pytest, "tests/test_families.py"],
        "steps, layouts, resume": [*pytest, "tests/test_step.py", "tests/test_refusals.py"],
        "weights to engines": [*pytest, "tests/test_sync.py", "tests/test_buckets.py"],
        "offload and cuts": [*pytest, "tests/test_offload_and_save.py"],
    }
    script = [sys.executable, "-W", "ignore"]
    checks["a resumed run's bits"] = [*script, str(HERE / "resume.py")]
    checks["two ranks against one"] = [*script, str(HERE / "ranks.py")]
    checks["a call beside its computing"] = [*script, str(HERE / "control.py")]
    if not options.quick:
        checks["a step at real width"] = [*script, str(HERE / "speed.py")]
        checks["one rank's share of the recipe"] = [*script, str(HERE / "share.py")]
    results = {name: run(name, command) for name, command in checks.items()}
    print(json.dumps(results))
    return 1 if any(result["status"] == "failed" for result in results.values()) else 0


def run(name: str, command: list[str]) -> dict[str, object]:
    """Runs a check and prints its row; its last line on stdout is what it says."""
    began = time.monotonic()
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(command, cwd=PACKAGE, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    seconds = time.monotonic() - began
    lines = (done.stdout if done.stdout.strip() else done.stderr).strip().splitlines()
    said = lines[-1] if lines else ""
    status = "ok" if done.returncode == 0 else "failed"
    print(f"{name:32} {status:7} {seconds:6.0f} s  {said[:200]}", flush=True)
    if status == "failed":
        print("\n".join((done.stdout + done.stderr).splitlines()[-20:]), file=sys.stderr)
    return {"status": status, "seconds": round(seconds, 1), "said": said}


if __name__ == "__main__":
    sys.exit(main())
