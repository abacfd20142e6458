"""An engine without a model: takes weights over HTTP and a process group as SGLang 0.5.15 does, and shows them.

What follows SGLang's code says which: init_custom_process_group (srt/utils/common.py), the receiving side of
model_runner.py, SafeUnpickler's list of what a pickle may name, and the loader's rule for the two projections that it
fuses (models/glm4_moe_lite.py). ``--refuse N`` answers the N-th bucket as SGLang does when it cannot load it,
``--refuse-groups`` every group as SGLang does when it cannot join.
"""

import argparse
import base64
import io
import json
import pickle
import sys
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch.distributed import distributed_c10d as c10d

TOKEN = "a-token-of-engines"


class Engine:
    def __init__(self, refused: int, ranks: int, refuses_groups: bool):
        self.refused, self.ranks, self.refuses_groups = refused, ranks, refuses_groups
        self.weights: dict[str, torch.Tensor] = {}
        self.groups: dict[str, dist.ProcessGroup] = {}
        self.version = "default"
        self.calls: list[dict] = []

    def init_weights_update_group(self, asked: dict):
        if self.refuses_groups:
            raise RuntimeError("Failed to initialize custom process group: out of luck.")
        # init_custom_process_group, with the store as torch's rendezvous of tcp://master:port makes it.
        rank, world = asked["rank_offset"], asked["world_size"]
        name = asked["group_name"]
        url = f"tcp://{asked['master_address']}:{asked['master_port']}"
        store, rank, world = next(c10d.rendezvous(url, rank, world, timeout=timedelta(seconds=100)))
        store = c10d.PrefixStore(name, store)
        group, _ = c10d._new_process_group_helper(
            world, rank, [], dist.Backend(asked["backend"]), store, group_name=name, timeout=timedelta(minutes=5)
        )
        c10d._world.pg_group_ranks[group] = {one: one for one in range(world)}
        self.groups[name] = group
        return "Succeeded to initialize custom process group."

    def destroy_weights_update_group(self, asked: dict):
        if asked["group_name"] not in self.groups:
            raise RuntimeError("The group to be destroyed does not exist.")
        dist.destroy_process_group(self.groups.pop(asked["group_name"]))
        return "Succeeded to destroy custom process group."

    def update_weights_from_distributed(self, asked: dict):
        self._refuse_perhaps(asked)
        # _update_bucketed_weights_from_distributed
        assert asked["load_format"] == "flattened_bucket"
        empty = [
            torch.empty(shape, dtype=getattr(torch, dtype))
            for dtype, shape in zip(asked["dtypes"], asked["shapes"], strict=True)
        ]
        flat = torch.cat([tensor.flatten().view(torch.uint8) for tensor in empty])
        dist.broadcast(flat, src=0, group=self.groups[asked["group_name"]])
        end = 0
        named = []
        for name, tensor in zip(asked["names"], empty, strict=True):
            begin, end = end, end + tensor.numel() * tensor.element_size()
            named.append((name, flat[begin:end].view(tensor.dtype).reshape(tensor.shape)))
        return self._load(asked, named)

    def update_weights_from_tensor(self, asked: dict):
        self._refuse_perhaps(asked)
        # update_weights_from_tensor of tp_worker.py, once for each of its ranks
        assert asked["load_format"] == "flattened_bucket" and len(asked["serialized_named_tensors"]) == self.ranks
        seen = []
        for payload in asked["serialized_named_tensors"]:
            told = SafeUnpickler(io.BytesIO(base64.b64decode(payload, validate=True))).load()
            flat = told["flattened_tensor"]
            seen.append(
                [
                    (meta.name, flat[meta.start_idx : meta.end_idx].view(meta.dtype).reshape(meta.shape))
                    for meta in told["metadata"]
                ]
            )
        for other in seen[1:]:
            assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in zip(seen[0], other, strict=True))
        return self._load(asked, seen[0])

    def _refuse_perhaps(self, asked: dict):
        self.calls.append({"names": asked.get("names", []), "flush_cache": asked["flush_cache"]})
        if len(self.calls) == self.refused:
            raise RuntimeError("Failed to update parameter online: no such layer. Please discard the whole weights.")

    def _load(self, asked: dict, named: list):
        names = {name for name, _ in named}
        for name, tensor in named:
            # load_weights keeps one of the two until the other comes, within one call.
            pair = {name.replace("kv_a_proj_with_mqa", "q_a_proj"), name.replace("q_a_proj", "kv_a_proj_with_mqa")}
            if pair <= names:
                self.weights[name] = tensor.clone()
        self.version = asked.get("weight_version") or self.version
        return "Succeeded to update parameter online."


class SafeUnpickler(pickle.Unpickler):
    """Those of SGLang's prefixes that are of Python and torch."""

    _ALLOWED = ("builtins.", "collections.", "copyreg.", "functools.", "types.", "torch.")
    _DENIED = frozenset({("builtins", "eval"), ("builtins", "exec"), ("types", "CodeType"), ("types", "FunctionType")})

    def find_class(self, module, name):
        if (module, name) in self._DENIED or not (module + ".").startswith(self._ALLOWED):
            raise RuntimeError(f"Blocked unsafe class loading ({module}.{name})")
        return super().find_class(module, name)


class Handler(BaseHTTPRequestHandler):
    engine: Engine

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._answer(401, {"error": "Unauthorized"})
        if self.path == "/show":
            if self.engine.weights:
                save_file(self.engine.weights, asked["file"])
            told = {"version": self.engine.version, "calls": self.engine.calls, "groups": [*self.engine.groups]}
            return self._answer(200, told)
        try:
            message = getattr(self.engine, self.path.removeprefix("/"))(asked)
            return self._answer(200, {"success": True, "message": message})
        except Exception as e:
            return self._answer(400, {"success": False, "message": str(e)})

    def do_GET(self):
        self._answer(200, {"tp_size": self.engine.ranks, "pp_size": 1})

    def _answer(self, status: int, told: dict):
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--refuse", type=int, default=0)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--refuse-groups", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    Handler.engine = Engine(options.refuse, options.ranks, options.refuse_groups)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    options.port_file.write_text(str(server.server_port))
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
