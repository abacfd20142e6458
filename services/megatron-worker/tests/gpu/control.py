"""What a /train costs beside its computing: the worker's real server, asked over HTTP as the trainer's client asks.

    python tests/gpu/control.py [--device cpu --samples 16 --length 64 --width 64 --vocabulary 1000 --tokens 256]

Total is the client's wall time of a call. Computing is forward, backward and optimizer, as the worker logs them. Their
difference is HTTP, reading, checking and hashing the batch, metrics and the answer by token, and waiting to be asked. Prints a
line a call and, last, JSON with medians.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import llama
import samples
import shapes

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
# Those of WorkerClient of common/worker-api.
FIRST_POLL = 0.02
SLOWEST_POLL = 0.1
_PATIENCE = 900
_TRAINED = re.compile(r"step trained step=(\d+) readingSeconds=(\S+) computingSeconds=(\S+) answeringSeconds=(\S+)")
_LOSS = {"algorithm": "grpo", "clipLow": 0.2, "clipHigh": 0.28, "learningRate": 1e-6}


class Client:
    """One connection, kept, like Java's."""

    def __init__(self, port: int):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)

    def ask(self, method: str, path: str, body: dict | None = None) -> dict:
        content = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, content, {"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        told = json.loads(reply.read())
        if reply.status >= 400:
            raise RuntimeError(f"{path} answered {reply.status}: {told}")
        return told

    def does(self, path: str, name: str, **fields: object) -> dict:
        operation = self.ask("POST", path, {"epoch": 1, "operationId": name, **fields})
        pause = FIRST_POLL
        while operation["state"] == "running":
            time.sleep(pause)
            operation = self.ask("GET", f"/operations/{name}")
            pause = min(SLOWEST_POLL, 2 * pause)
        if operation["error"]:
            raise RuntimeError(f"{path}: {operation['error']}")
        return operation["result"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--length", type=int, default=4096)
    parser.add_argument("--tokens", type=int, default=16384, help="of a micro-batch")
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return _measure(options, Path(folder))


def _measure(options: argparse.Namespace, folder: Path) -> int:
    path = os.pathsep.join(filter(None, [str(PACKAGE), str(HERE), os.environ.get("PYTHONPATH", "")]))
    environment = os.environ | {"PYTHONPATH": path, "CUDA_DEVICE_MAX_CONNECTIONS": "1"}
    environment |= {"SLUICE_WORKER_DEVICE": options.device} | (
        {"CUDA_VISIBLE_DEVICES": ""} if options.device == "cpu" else {}
    )
    args = shapes.llama(2, options.width, options.vocabulary, options.length, options.device == "cuda")
    llama.make_checkpoint(folder, args, options.device, environment)
    files = []
    for step in range(1, options.rounds + 2):
        files.append(folder / f"batch-{step}.safetensors")
        samples.write(files[-1], step, [options.length] * options.samples, options.vocabulary, options.tokens)
    state, log = folder / "worker.json", folder / "log"
    command = [sys.executable, "-W", "ignore", "-m", "sluice_megatron", "--data-root", str(folder)]
    with log.open("wb") as out:
        worker = subprocess.Popen([*command, "--state-file", str(state)], env=environment, stdout=out, stderr=out)
    try:
        while not state.exists():
            if worker.poll() is not None:
                raise RuntimeError(f"the worker ended: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        client = Client(json.loads(state.read_text())["port"])
        hf = {"hfConfig": str(folder), "checkpoint": str(folder / "weights")}
        client.does("/load", "load", runId="run", args=args, **hf)
        walls = []
        for step, file in enumerate(files, 1):
            began = time.perf_counter()
            told = client.does("/train", f"train-{step}", step=step, batch=str(file), model="policy", loss=_LOSS)
            walls.append(time.perf_counter() - began)
            assert told["step"] == step
    finally:
        worker.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(30)
        worker.kill()
    inside = {int(step): tuple(map(float, parts)) for step, *parts in _TRAINED.findall(log.read_text())}
    return _report(options, walls, inside, files[0].stat().st_size)


def _report(options: argparse.Namespace, walls: list[float], inside: dict, batch_bytes: int) -> int:
    rows = []
    for step, wall in enumerate(walls, 1):
        reading, computing, answering = inside[step]
        row = {
            "total": wall,
            "computing": computing,
            "difference": wall - computing,
            "reading": reading,
            "answering": answering,
            "httpAndWaiting": wall - computing - reading - answering,
        }
        rows.append(row)
        kind = "warm-up" if step == 1 else "counted"
        print(f"{kind:8}", ", ".join(f"{name} {value * 1000:.1f} ms" for name, value in row.items()), flush=True)
    medians = {name: round(statistics.median(row[name] for row in rows[1:]), 4) for name in rows[0]}
    sizes = {"samples": options.samples, "length": options.length, "batchBytes": batch_bytes}
    print(json.dumps(sizes | {"medianSeconds": medians}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
