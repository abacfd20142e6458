"""A run that was cut after two steps and resumed, against one that went through: the same bits after four, in
``--deterministic-mode``. With torch's Adam, as without TransformerEngine, and with TransformerEngine's where it is there.

Prints a line for each; exit code 1 if bits differ.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import shapes
from ranks import tensors_of

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
DETERMINISTIC = {
    "NCCL_ALGO": "Ring",
    "NVTE_ALLOW_NONDETERMINISTIC_ALGO": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "CUDA_DEVICE_MAX_CONNECTIONS": "1",
}
# Name: kind, whether in half precision, whether without TransformerEngine.
CASES = {
    "torch's Adam, fp32, experts": ("moe", False, True),
    "torch's Adam, bf16": ("dense", True, True),
    "TransformerEngine's Adam, bf16": ("dense", True, False),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = parser.parse_args()
    failed = 0
    for name, (kind, half, without) in CASES.items():
        began = time.monotonic()
        if not without and importlib.util.find_spec("transformer_engine") is None:
            print(f"{name}: skipped, TransformerEngine is not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                said, right = _compared(Path(folder), options.device, kind, half, without)
            except Exception as e:
                said, right = str(e), False
        failed += not right
        print(f"{name}: {'ok' if right else 'failed'}, {said}, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(CASES) - failed} of {len(CASES)} right or skipped")
    return 1 if failed else 0


def _compared(folder: Path, device: str, kind: str, half: bool, without: bool) -> tuple[str, bool]:
    args = shapes.small(kind, half, "--deterministic-mode")
    common = {"args": args, "device": device, "dataRanks": 1}
    _train(folder / "through", common | {"steps": 4, "saveFirst": True}, without)
    begun = str(folder / "through" / "begun")
    _train(folder / "first", common | {"steps": 2, "init": begun}, without)
    _train(folder / "second", common | {"steps": 2, "resume": str(folder / "first" / "after")}, without)
    through, resumed = (tensors_of(folder / name / "after") for name in ("through", "second"))
    other = [k for k in through if k not in resumed or not through[k].equal(resumed[k])]
    return f"{len(other)} of {len(through)} tensors have other bits {other[:3]}", not other


def _train(out: Path, order: dict, without: bool):
    out.mkdir()
    (out / "order.json").write_text(json.dumps(order | {"out": str(out)}))
    script = [str(HERE / "one_layout.py"), str(out / "order.json")]
    command = [sys.executable, "-W", "ignore", *([str(HERE / "without_te.py")] if without else []), *script]
    path = os.pathsep.join(filter(None, [str(PACKAGE), str(HERE), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | DETERMINISTIC | {"PYTHONPATH": path, "SLUICE_WORKER_DEVICE": order["device"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode:
        errors = list(out.glob("*.error"))
        raise RuntimeError(errors[0].read_text() if errors else done.stderr[-500:])


if __name__ == "__main__":
    sys.exit(main())
