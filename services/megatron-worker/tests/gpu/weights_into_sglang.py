"""Sends a worker's weights into running SGLang engines and has the engines compare them with what they began with.

Start the engines from the Hugging Face directory that the worker's checkpoint was converted from, so that both hold the
same weights (any attention backend; one GPU each, or --tp-size N), and a worker beside them:

    CUDA_VISIBLE_DEVICES=1 python -m sglang.launch_server --model-path HF --port 30000 --trust-remote-code
    CUDA_VISIBLE_DEVICES=0 python -m torch.distributed.run --standalone --nproc-per-node 1 \\
        -m sluice_megatron --data-root /data --allow-root / --port 7000 --lease 1h
    python weights_into_sglang.py --load load.json --worker http://127.0.0.1:7000 --engine http://127.0.0.1:30000

``load.json`` is the body of /load without epoch and operationId: {runId, checkpoint, hfConfig, args, tensors}. With
``--transport tensor`` the engine shares the worker's GPU: give SGLang --mem-fraction-static 0.3, both the same
CUDA_VISIBLE_DEVICES, and no PYTORCH_CUDA_ALLOC_CONF.

SGLang's /weights_checker does the comparing: snapshot, then random weights in place of all, then a send, then compare.
One line for each thing measured goes to standard output; the status is 1 where an engine holds other weights.
"""

import argparse
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

_PATIENCE = 1800
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(address: str, path: str, body: dict | None, token: str | None = None) -> dict:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = None if body is None else json.dumps(body).encode()
    try:
        with _OPENER.open(urllib.request.Request(address + path, content, headers), timeout=_PATIENCE) as reply:
            return json.loads(reply.read() or b"null") or {}
    except urllib.error.HTTPError as e:
        sys.exit(f"{address}{path} answered {e.code}: {e.read()[:2000].decode('utf-8', 'replace')}")


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
            time.sleep(0.2)
            operation = ask(self._address, f"/operations/{name}", None, self._token)
        if operation["error"]:
            sys.exit(f"{path}: {operation['error']}")
        return operation["result"]


class Engine:
    def __init__(self, address: str):
        self.address = address
        self._token = os.environ.get("SLUICE_ENGINE_TOKEN")
        self.ranks = self.asks("/server_info", None)["tp_size"]

    def asks(self, path: str, body: dict | None) -> dict:
        return ask(self.address, path, body, self._token)

    def checks(self, action: str) -> dict:
        return self.asks("/weights_checker", {"action": action})


def connect(worker: Worker, engines: list[Engine], options: argparse.Namespace) -> str:
    world = 1 + sum(engine.ranks for engine in engines)
    name = f"weights-{time.time_ns()}"
    joining = []
    first = 1
    for engine in engines:
        body = {
            "master_address": options.master,
            "master_port": options.master_port,
            "rank_offset": first,
            "world_size": world,
            "group_name": name,
            "backend": "nccl",
        }
        joining.append(threading.Thread(target=engine.asks, args=("/init_weights_update_group", body)))
        first += engine.ranks
    for thread in joining:
        thread.start()
    worker.does(
        "/weights/connect",
        masterAddress=options.master,
        masterPort=options.master_port,
        worldSize=world,
        groupName=name,
    )
    for thread in joining:
        thread.join()
    return name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load", type=Path, required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--engine", action="append", required=True)
    parser.add_argument("--transport", choices=("nccl", "tensor"), default="nccl")
    parser.add_argument("--master", default="127.0.0.1")
    parser.add_argument("--master-port", type=int, default=29750)
    parser.add_argument("--bucket-bytes", type=int, default=512 << 20)
    options = parser.parse_args()
    worker = Worker(options.worker)
    engines = [Engine(address) for address in options.engine]
    print("load seconds", worker.does("/load", **json.loads(options.load.read_text()))["seconds"])
    for engine in engines:
        engine.asks("/pause_generation", {})
        engine.checks("snapshot")
        engine.checks("reset_tensors")
    name = connect(worker, engines, options) if options.transport == "nccl" else ""
    named = {"groupName": name} if name else {}
    for version in (1, 2):  # the first makes NCCL's communicator
        sent = worker.does(
            "/weights/send",
            engines=options.engine,
            version=version,
            transport=options.transport,
            bucketBytes=options.bucket_bytes,
            **named,
        )
        print(f"send {version}: {sent['bytes'] / sent['seconds'] / 1e9:.2f} GB/s", json.dumps(sent))
    failed = 0
    for engine in engines:
        told = engine.checks("compare")
        version = engine.asks("/model_info", None)["weight_version"]
        print(f"compare {engine.address}: {told['success']} {told['message'][:500]}, weight_version {version}")
        failed += not told["success"] or version != "2"
        engine.asks("/continue_generation", {})
    print("offload", json.dumps(worker.does("/offload", what=["weights", "optimizer", "gradients"])))
    print("onload", json.dumps(worker.does("/onload", what=["weights", "optimizer", "gradients"])))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
