"""Sends a worker's weights into running SGLang engines, has the engines compare them, and lends GPUs to and fro.

    python weights_into_sglang.py --engine-python PYTHON --transport tensor [--engine-path SITE] [--engine-args "..."]
    python weights_into_sglang.py --engine-python PYTHON --transport nccl

makes a llama of random weights, starts a worker on GPU 0 and an engine with the weights that the worker exports: on GPU 0 too
(tensor), or on the GPUs after it (nccl, --engines N of one GPU each). With tensor it then goes through one turn of
``placement: colocated``. With engines and a worker that are there already, from one checkpoint,

    python weights_into_sglang.py --load load.json --worker http://127.0.0.1:7000 --engine http://127.0.0.1:30000

where ``load.json`` is the body of /load without epoch and operationId: {runId, checkpoint, hfConfig, args, tensors}.

SGLang's /weights_checker does the comparing: snapshot, then random weights in place of all, then a send, then compare.
One line for each thing measured goes to standard output, JSON lines to $OUT too; the status is 1 where an engine holds other
weights.
"""

import argparse
import contextlib
import json
import os
import random
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import gpus
import llama
import shapes

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
ALL = ["weights", "optimizer", "gradients"]
_PATIENCE = 400
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(address: str, path: str, body: dict | None, token: str | None = None, seconds: float = _PATIENCE) -> dict:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = None if body is None else json.dumps(body).encode()
    try:
        with _OPENER.open(urllib.request.Request(address + path, content, headers), timeout=seconds) as reply:
            text = reply.read()
    except urllib.error.HTTPError as e:
        raise RuntimeError(f"{address}{path} answered {e.code}: {e.read()[:2000].decode('utf-8', 'replace')}") from e
    try:
        return json.loads(text or b"null") or {}
    except ValueError:
        return {"text": text.decode("utf-8", "replace")}  # /flush_cache speaks plainly


def report(what: str, **figures: object):
    print(what, json.dumps(figures), flush=True)
    if os.environ.get("OUT"):
        with (Path(os.environ["OUT"]) / "weights_into_sglang.jsonl").open("a") as log:
            log.write(json.dumps({"what": what} | figures) + "\n")


class Worker:
    def __init__(self, address: str):
        self._address = address
        self._token = os.environ.get("SLUICE_WORKER_TOKEN")
        self._run = time.time_ns()
        self._count = 0

    def does(self, path: str, **fields: object) -> dict:
        self._count += 1
        name = f"{self._run}-{self._count}"
        operation = ask(self._address, path, {"epoch": 1, "operationId": name, **fields}, self._token)
        while operation["state"] == "running":
            time.sleep(0.1)
            operation = ask(self._address, f"/operations/{name}", None, self._token)
        if operation["error"]:
            raise RuntimeError(f"{path}: {operation['error']}")
        return operation["result"]

    def moves(self, path: str, *what: str) -> dict:
        moved = self.does(path, what=list(what or ALL))
        report(f"{path} {' '.join(what) or 'all'}", **moved)
        return moved


class Engine:
    def __init__(self, address: str):
        self.address = address
        self._token = os.environ.get("SLUICE_ENGINE_TOKEN")
        self.ranks = self.asks("/server_info", None)["tp_size"]

    def asks(self, path: str, body: dict | None) -> dict:
        return ask(self.address, path, body, self._token)

    def checks(self, action: str) -> dict:
        return self.asks("/weights_checker", {"action": action})

    def says(self) -> list[int]:
        """A greedy answer."""
        sampling = {"temperature": 0, "max_new_tokens": 8, "ignore_eos": True}
        return self.asks("/generate", {"input_ids": [3, 1, 4, 1, 5, 9, 2, 6], "sampling_params": sampling})[
            "output_ids"
        ]

    def pauses(self):
        self.asks("/pause_generation", {"mode": "abort"})
        self.asks("/flush_cache?timeout=30", {})


def connect(worker: Worker, engines: list[Engine], options: argparse.Namespace, reverse: bool = False) -> str:
    name = f"weights-{time.time_ns()}"
    members = [{"address": engine.address, "ranks": engine.ranks} for engine in engines]
    connected = worker.does(
        "/weights/connect",
        masterAddress=options.master,
        masterPort=_free_port(),
        groupName=name,
        engines=members[::-1] if reverse else members,
        backend="nccl",
    )
    report("connect", **connected)
    return name


def compare(worker: Worker, engines: list[Engine], options: argparse.Namespace) -> bool:
    """Weights of nothing but chance, then the worker's by two sends; over nccl also by a second group."""
    for engine in engines:
        engine.pauses()
        engine.checks("snapshot")
        engine.checks("reset_tensors")
    over_group = options.transport == "nccl"
    name = connect(worker, engines, options) if over_group else ""
    for version in (1, 2, 3):  # the first makes NCCL's communicator
        if version == 3 and over_group:
            # After the group of before was left.
            name = connect(worker, engines, options, reverse=True)
        sent = worker.does(
            "/weights/send",
            engines=[engine.address for engine in engines],
            version=version,
            transport=options.transport,
            bucketBytes=options.bucket_bytes,
            **({"groupName": name} if name else {}),
        )
        report(f"send {version}", gigabytesPerSecond=round(sent["bytes"] / sent["seconds"] / 1e9, 2), **sent)
    right = True
    for engine in engines:
        try:
            told = engine.checks("compare")
        except RuntimeError as e:
            told = {"success": False, "message": str(e)}
        version = engine.asks("/model_info", None)["weight_version"]
        report(f"compare {engine.address}", same=told["success"], said=told["message"][:500], weightVersion=version)
        right &= told["success"] and version == "3"
        engine.asks("/continue_generation", {})
    return right


def take_turns(worker: Worker, engine: Engine) -> bool:
    """One turn of ``placement: colocated``: the engine gives all memory up, and gets the weights handed over."""
    before = engine.says()
    worker.moves("/offload")
    began = time.monotonic()
    engine.pauses()
    engine.asks("/release_memory_occupation", {})
    report("release_memory_occupation", seconds=round(time.monotonic() - began, 3))
    trains = worker.moves("/onload")
    gives = worker.moves("/offload", "optimizer", "gradients")
    began = time.monotonic()
    engine.asks("/resume_memory_occupation", {"tags": ["weights"]})
    resumed = time.monotonic() - began
    sent = worker.does("/weights/send", engines=[engine.address], version=4, transport="tensor")
    report("send 4", gigabytesPerSecond=round(sent["bytes"] / sent["seconds"] / 1e9, 2), **sent)
    last = worker.moves("/offload", "weights")
    began = time.monotonic()
    engine.asks("/resume_memory_occupation", {"tags": ["kv_cache", "cuda_graph"]})
    resumed += time.monotonic() - began
    engine.asks("/continue_generation", {})
    after = engine.says()
    version = engine.asks("/model_info", None)["weight_version"]
    report("turn", answeredBefore=before, answeredAfter=after, weightVersion=version, resumeSeconds=round(resumed, 3))
    freed = gives["bytes"] > 0 and last["bytes"] > 0 and trains["bytes"] == gives["bytes"] + last["bytes"]
    worker.does("/offload", what=ALL)
    return after == before and version == "4" and freed


class Processes:
    """A worker and engines of this script's own, ended with it; their logs lie in the folder."""

    def __init__(self, folder: Path, options: argparse.Namespace):
        self._folder = folder
        self._options = options
        self._started: list[subprocess.Popen] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object):
        for process in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def environment(self, gpu: int, *paths: str) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if key != "PYTORCH_CUDA_ALLOC_CONF"}
        path = os.pathsep.join(filter(None, paths))
        # As in plans: NCCL cannot register memory that torch_memory_saver maps.
        environment |= {"NCCL_CUMEM_ENABLE": "0", "CUDA_VISIBLE_DEVICES": gpus.names()[gpu]}
        return environment | {"PYTHONPATH": path}

    def worker(self) -> tuple[Worker, dict, Path]:
        """A worker that has loaded; what it loaded; the weights' Hugging Face directory."""
        o = self._options
        args = shapes.llama(o.layers, o.width, o.vocabulary, 4096, True)
        here = self.environment(0, str(PACKAGE), str(HERE), os.environ.get("PYTHONPATH", ""))
        checkpoint = llama.make_checkpoint(self._folder, args, "cuda", here)
        config = self._folder / "config"
        llama.write_config(config, o.layers, o.width, o.vocabulary, 4096)
        llama.write_table(self._folder / "tensors.json", o.layers, o.width, o.vocabulary)
        state = self._folder / "worker.json"
        command = [sys.executable, "-W", "ignore", "-m", "sluice_megatron", "--data-root", str(self._folder)]
        process = self._start("worker", [*command, "--state-file", str(state), "--lease", "1h"], here)
        _until(lambda: state.exists(), process, self._folder / "worker.log")
        worker = Worker(f"http://127.0.0.1:{json.loads(state.read_text())['port']}")
        load = {
            "runId": "run",
            "checkpoint": str(checkpoint),
            "hfConfig": str(config),
            "args": args,
            "tensors": str(self._folder / "tensors.json"),
        }
        report("load", **worker.does("/load", **load))
        model = self._folder / "hf"
        report("export", **worker.does("/export", dir=str(model), version=0, dtype="bfloat16"))
        return worker, load, model

    def engine(self, model: Path, gpu: int) -> Engine:
        o = self._options
        port = _free_port()
        path = o.engine_path or ""
        command = [o.engine_python, "-m", "sglang.launch_server", "--model-path", str(model), "--host", "127.0.0.1"]
        command += ["--port", str(port), "--skip-tokenizer-init", "--enable-memory-saver", *shlex.split(o.engine_args)]
        began = time.monotonic()
        process = self._start(f"engine-{gpu}-{port}", command, self.environment(gpu, path))
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            with contextlib.suppress(OSError, RuntimeError):
                ask(address, "/health_generate", None, seconds=60)
                return True
            return False

        _until(answers, process, self._folder / f"engine-{gpu}-{port}.log")
        report("engine", gpu=gpu, startSeconds=round(time.monotonic() - began, 1))
        return Engine(address)

    def _start(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen:
        with (self._folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self._started.append(process)
        return process


def _until(condition, process: subprocess.Popen, log: Path):
    end = time.monotonic() + _PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"{log.name} did not come up: {log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)


def _free_port() -> int:
    """SGLang takes the port 10000 above its own too, so not one of those that the system would give."""
    while True:
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", random.randrange(20000, 30000)))
            return free.getsockname()[1]


def with_own_processes(options: argparse.Namespace, folder: Path) -> bool:
    with Processes(folder, options) as processes:
        try:
            worker, _, model = processes.worker()
            if options.transport == "tensor":
                # Before the engine measures how much is free.
                worker.moves("/offload")
                engines = [processes.engine(model, 0)]
                worker.moves("/onload", "weights")
                right = compare(worker, engines, options)
                worker.moves("/onload")
                right &= take_turns(worker, engines[0])
                return right
            return compare(worker, [processes.engine(model, gpu) for gpu in range(1, 1 + options.engines)], options)
        except RuntimeError:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
            raise


def with_given(options: argparse.Namespace) -> bool:
    worker = Worker(options.worker)
    report("load", **worker.does("/load", **json.loads(options.load.read_text())))
    right = compare(worker, [Engine(address) for address in options.engine], options)
    worker.moves("/offload")
    worker.moves("/onload")
    return right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", choices=("nccl", "tensor"), default="nccl")
    parser.add_argument("--engine-python", help="Python that has SGLang; starts worker and engines here")
    parser.add_argument("--engine-path", help="PYTHONPATH of the engines")
    parser.add_argument("--engine-args", default="--mem-fraction-static 0.3 --context-length 4096")
    parser.add_argument("--engines", type=int, default=1)
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--load", type=Path)
    parser.add_argument("--worker")
    parser.add_argument("--engine", action="append")
    parser.add_argument("--master", default="127.0.0.1")
    parser.add_argument("--bucket-bytes", type=int, default=512 << 20)
    options = parser.parse_args()
    # So that what it started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not options.engine_python:
        if not (options.load and options.worker and options.engine):
            parser.error("give --engine-python, or --load, --worker and --engine")
        return 0 if with_given(options) else 1
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return 0 if with_own_processes(options, Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
