"""Two and four ranks against one: the same steps of the same small model under every layout, and what is saved, exported,
offloaded. Four need four GPUs.

    python tests/gpu/ranks.py [--only dp2,ep2] [--jobs 8] [--device cpu]

One torchrun a case, several at once; a case that fails or hangs stops no other. Ends within --seconds; prints a line a case
and writes ranks.jsonl to $OUT, where that is set. Exit code 1 if a case failed. With --device cpu, without TransformerEngine,
it tries itself over gloo.
"""

import argparse
import contextlib
import importlib.util
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import gpus
import shapes
import torch
import torch.distributed.checkpoint as dcp

from sluice_megatron import checkpoint

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1]
STEPS = 2
# Relative distances: of losses, of gradient norms, of what two steps changed in the weights, of log-probabilities (nats).
TOLERANCES = {
    "fp32": {"loss": 1e-4, "gradNorm": 1e-3, "update": 2e-3, "logprob": 1e-3},
    "bf16": {"loss": 2e-2, "gradNorm": 5e-2, "update": 1e-1, "logprob": 5e-2},
    # Rounding decides which experts a token gets where two scores are nearly alike. Of "grouped", on the CPU, two
    # tensor-parallel ranks choose otherwise than one for 1.8 % of the first step's tokens (update 1.6e-1, logprob
    # 5.0e-2), one rank otherwise than in fp32 for 2.4 % (2.1e-1, 4.8e-2); in fp32 two and one choose alike (2.3e-6,
    # 7.4e-7). The last bit of one weight alone makes 7.5e-2 and 1.7e-2, of "moe" 1.0e-1 and 2.5e-2. On two H200, of
    # "moe": 8.6e-2 to 1.9e-1, and 1.9e-2 to 8.5e-2.
    "bf16 routed": {"loss": 2e-2, "gradNorm": 5e-2, "update": 3e-1, "logprob": 1.5e-1},
}
TP2 = {"tensor_model_parallel_size": 2}
EP2 = {"expert_model_parallel_size": 2}
PP2 = {"pipeline_model_parallel_size": 2}
CP2 = {"context_parallel_size": 2}
ETP2 = {"expert_tensor_parallel_size": 2}
EP4 = {"expert_model_parallel_size": 4}
_RAISED = re.compile(r"\w+(Error|Exception|Exit): ")
DEEPEP = ["--moe-token-dispatcher-type", "flex", "--moe-enable-deepep"]


@dataclass(frozen=True)
class Case:
    """``base`` is the case of one rank that it must equal; None for one of those."""

    name: str
    kind: str
    half: bool
    base: str | None = None
    ranks: int = 2
    layout: dict = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    resume: str | None = None
    needs: tuple[str, ...] = ()

    @property
    def data_ranks(self) -> int:
        return self.ranks // math.prod(size for name, size in self.layout.items() if "expert" not in name)

    @property
    def precision(self) -> str:
        return "bf16" if self.half else "fp32"

    @property
    def limits(self) -> dict[str, float]:
        return TOLERANCES["bf16 routed" if self.half and self.kind in ("moe", "grouped") else self.precision]


CPU_ADAM = tuple(shapes.CPU_ADAM)
SP = ("--sequence-parallel",)
TE = ("transformer_engine",)
BASES = [
    Case("one moe fp32", "moe", False, ranks=1),
    Case("one moe bf16", "moe", True, ranks=1),
    Case("one moe bf16 Adam on the host", "moe", True, ranks=1, flags=CPU_ADAM, needs=TE),
    Case("one grouped moe fp32", "grouped", False, ranks=1),
    Case("one mla bf16", "mla", True, ranks=1),
    Case("one dense fp32", "dense", False, ranks=1),
    Case("one dense bf16", "dense", True, ranks=1),
]
CASES = [
    Case("dp2 moe fp32", "moe", False, "one moe fp32"),
    Case("dp2 moe bf16", "moe", True, "one moe bf16"),
    Case(
        "dp2 Adam on the host",
        "moe",
        True,
        "one moe bf16 Adam on the host",
        flags=CPU_ADAM,
        needs=TE,
    ),
    Case("ep2 alltoall fp32", "moe", False, "one moe fp32", layout=EP2),
    Case("ep2 alltoall bf16", "moe", True, "one moe bf16", layout=EP2),
    Case("ep2 DeepEP bf16", "moe", True, "one moe bf16", layout=EP2, flags=tuple(DEEPEP), needs=("deep_ep",)),
    Case("tp2 sp dense fp32", "dense", False, "one dense fp32", layout=TP2, flags=SP),
    Case("tp2 sp dense bf16", "dense", True, "one dense bf16", layout=TP2, flags=SP),
    Case("tp2 sp grouped moe fp32", "grouped", False, "one grouped moe fp32", layout=TP2, flags=SP),
    Case("tp2 etp2 sp grouped moe fp32", "grouped", False, "one grouped moe fp32", layout=TP2 | ETP2, flags=SP),
    Case("tp2 sp mla bf16", "mla", True, "one mla bf16", layout=TP2, flags=SP, needs=TE),
    Case("tp2 sp moe bf16", "moe", True, "one moe bf16", layout=TP2, flags=SP, needs=TE),
    Case("pp2 moe fp32", "moe", False, "one moe fp32", layout=PP2),
    Case("pp2 dense bf16", "dense", True, "one dense bf16", layout=PP2),
    Case("cp2 dense bf16", "dense", True, "one dense bf16", layout=CP2, needs=TE),
    Case("cp2 mla bf16", "mla", True, "one mla bf16", layout=CP2, needs=TE),
    Case("cp2 moe bf16", "moe", True, "one moe bf16", layout=CP2, needs=TE),
    Case("ep4 moe fp32", "moe", False, "one moe fp32", ranks=4, layout=EP4),
    Case("ep4 DeepEP bf16", "moe", True, "one moe bf16", ranks=4, layout=EP4, flags=tuple(DEEPEP), needs=("deep_ep",)),
    Case(
        "ep4 Adam on the host",
        "moe",
        True,
        "one moe bf16 Adam on the host",
        ranks=4,
        layout=EP4,
        flags=CPU_ADAM,
        needs=TE,
    ),
    Case("dp4 ep2 moe fp32", "moe", False, "one moe fp32", ranks=4, layout=EP2),
    Case("pp2 ep2 moe fp32", "moe", False, "one moe fp32", ranks=4, layout=PP2 | EP2),
    Case("tp2 pp2 sp dense fp32", "dense", False, "one dense fp32", ranks=4, layout=TP2 | PP2, flags=SP),
    Case("tp2 ep4 sp grouped moe fp32", "grouped", False, "one grouped moe fp32", ranks=4, layout=TP2 | EP4, flags=SP),
    Case("cp2 ep4 moe bf16", "moe", True, "one moe bf16", ranks=4, layout=CP2 | EP4, needs=TE),
]
# A cut of the case that they resume, read under their own layout: written again it has the same bits.
RESUMES = [
    Case("2 saved 1 loads fp32", "moe", False, "one moe fp32", ranks=1, resume="dp2 moe fp32"),
    Case("4 saved 2 load fp32", "moe", False, "one moe fp32", layout=EP2, resume="ep4 moe fp32"),
    Case("1 saved 2 load fp32", "moe", False, "one moe fp32", resume="one moe fp32"),
    Case("2 saved 1 loads bf16", "moe", True, "one moe bf16", ranks=1, resume="dp2 moe bf16"),
    Case("1 saved 2 load bf16", "moe", True, "one moe bf16", resume="one moe bf16"),
    Case(
        "2 saved 1 loads Adam on the host",
        "moe",
        True,
        "one moe bf16 Adam on the host",
        ranks=1,
        flags=CPU_ADAM,
        resume="dp2 Adam on the host",
        needs=TE,
    ),
]


class Bench:
    """Runs cases in a folder and keeps what each told."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        self._options = options
        self._folder = folder
        self._end = time.monotonic() + options.seconds
        self._log = Path(os.environ["OUT"]) / "ranks.jsonl" if os.environ.get("OUT") else None
        self._turn = 0
        self._running: set[subprocess.Popen] = set()
        self.told: dict[str, dict] = {}
        self.rows = self.failed = 0

    def give_up(self, *_: object):
        """What it started ends with it."""
        for process in list(self._running):
            _kill(process)
        os._exit(143)

    def out(self, name: str) -> Path:
        return self._folder / name.replace(" ", "-").replace(",", "")

    def wanted(self, cases: list[Case]) -> list[Case]:
        only = [part for part in self._options.only.split(",") if part]
        return [case for case in cases if not only or any(case.name.startswith(part) for part in only)]

    def run(self, case: Case):
        began = time.monotonic()
        try:
            said = self._missing(case) or self._checked(case)
        except Exception as e:
            said = ("failed", f"{type(e).__name__}: {e}", {})
        self.row(case.name, *said, time.monotonic() - began)

    def row(self, name: str, status: str, said: str, figures: dict, seconds: float):
        self.rows += 1
        self.failed += status == "failed"
        print(f"{name:34} {status:8} {seconds:5.0f} s  {said[:700]}", flush=True)
        if self._log:
            row = {"case": name, "status": status, "seconds": round(seconds, 1), "said": said} | figures
            with self._log.open("a") as log:
                log.write(json.dumps(row) + "\n")

    def start(self, name: str, ranks: int, order: dict, program: Path = HERE / "one_layout.py") -> dict:
        """Starts the ranks and returns what they told. Raises RuntimeError with the reason why they told nothing."""
        out = self.out(name)
        out.mkdir(parents=True, exist_ok=True)
        (out / "order.json").write_text(json.dumps(order | {"out": str(out), "device": self._options.device}))
        command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node", str(ranks), str(program)]
        left = min(self._options.case_seconds, self._end - time.monotonic())
        if left < 10:
            raise RuntimeError(f"not begun: the {self._options.seconds} s are over")
        with open(out / "log", "wb") as log:
            process = subprocess.Popen(
                [*command, str(out / "order.json")],
                env=self._environment(ranks),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self._running.add(process)
            try:
                status = process.wait(left)
            except subprocess.TimeoutExpired:
                status = None
                _kill(process)
                process.wait()
            self._running.discard(process)
        if status != 0 or not (out / "told.json").is_file():
            raise RuntimeError(_reason(out, status, left))
        return json.loads((out / "told.json").read_text())

    def _environment(self, ranks: int) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(PACKAGE), str(HERE), os.environ.get("PYTHONPATH", "")]))
        environment = os.environ | {"PYTHONPATH": path, "CUDA_DEVICE_MAX_CONNECTIONS": "1", "OMP_NUM_THREADS": "1"}
        environment["SLUICE_WORKER_DEVICE"] = self._options.device
        if self._options.device == "cpu":
            environment["CUDA_VISIBLE_DEVICES"] = ""
        elif ranks == 1:
            self._turn += 1
            here = gpus.names()
            environment["CUDA_VISIBLE_DEVICES"] = here[self._turn % len(here)]
        return environment

    def _missing(self, case: Case) -> tuple[str, str, dict] | None:
        lacking = [module for module in case.needs if importlib.util.find_spec(module) is None]
        if lacking or (case.needs and self._options.device == "cpu"):
            return "skipped", f"not installed: {', '.join(lacking)}" if lacking else "needs GPUs", {}
        if case.ranks > 1 and self._options.device != "cpu" and torch.cuda.device_count() < case.ranks:
            return "skipped", f"needs {case.ranks} GPUs, {torch.cuda.device_count()} are here", {}
        for other in filter(None, (case.base, case.resume)):
            if other != case.name and other not in self.told:
                return "skipped", f"nothing to compare with: {other} did not end", {}
        return None

    def _checked(self, case: Case) -> tuple[str, str, dict]:
        order = {
            "args": shapes.small(case.kind, case.half, *case.flags, **case.layout),
            "steps": 1 if case.resume else STEPS,
            "dataRanks": case.data_ranks,
            "saveFirst": case.base is None or case.resume is not None,
        }
        if case.resume:
            order["resume"] = str(self.out(case.resume) / "after")
        elif case.base:
            order["init"] = str(self.out(case.base) / "begun")
        told = self.start(case.name, case.ranks, order)
        if case.resume:
            return self._resumed(case, told)
        self.told[case.name] = told
        no_cut = f"no cut can be written: {told['noCut']}; " if "noCut" in told else ""
        figures = {"precision": case.precision, "transformerImpl": told["transformerImpl"], "leftOut": told["leftOut"]}
        if case.base is None:
            moved = _moved(self.out(case.name))
            steps = [f"loss {step['loss']:.5f}, grad norm {step['gradNorm']:.5f}" for step in told["steps"]]
            said = f"{no_cut}{told['transformerImpl']}; {'; '.join(steps)}; weights moved by {moved:.1e}"
            return "failed" if no_cut else "ok", said, figures
        distances = self._distances(case, told)
        limits = case.limits
        beyond = [name for name, limit in limits.items() if not distances[name] <= limit]
        shown = ", ".join(f"{name} {value:.1e}" for name, value in distances.items())
        if beyond:
            shown = f"beyond {', '.join(f'{name} {limits[name]:.0e}' for name in beyond)}: {shown}"
        status = "failed" if beyond or no_cut else "ok"
        return status, f"{no_cut}{told['transformerImpl']}; {shown}", figures | {"distances": distances}

    def _distances(self, case: Case, told: dict) -> dict[str, float]:
        mine, base = told["steps"], self.told[case.base]["steps"]
        pairs = list(zip(mine, base, strict=True))
        begun, after = (_weights(self.out(case.base) / name) for name in ("begun", "after"))
        own = _weights(self.out(case.name) / "after")
        common = after.keys() & own.keys()
        if common != after.keys():
            raise RuntimeError(f"the cut lacks {sorted(after.keys() - common)[:3]}")
        return {
            "loss": max(abs(a["loss"] - b["loss"]) / (abs(b["loss"]) + 0.1) for a, b in pairs),
            "gradNorm": max(abs(a["gradNorm"] - b["gradNorm"]) / b["gradNorm"] for a, b in pairs),
            "update": _norm({k: own[k] - after[k] for k in after}) / _norm({k: after[k] - begun[k] for k in after}),
            "logprob": max(
                sum(abs(x - y) for x, y in zip(a["logprobs"], b["logprobs"], strict=True)) / len(b["logprobs"])
                for a, b in pairs
            ),
        }

    def _resumed(self, case: Case, told: dict) -> tuple[str, str, dict]:
        before = tensors_of(self.out(case.resume) / "after")
        again = tensors_of(self.out(case.name) / "begun")
        other = [k for k in before if k not in again or not _same(before[k], again[k])]
        missing = sorted(again.keys() - before.keys())
        step = told["steps"][0]
        said = f"{len(before)} tensors, the next step: loss {step['loss']:.5f}, grad norm {step['gradNorm']:.5f}"
        if other or missing:
            return "failed", f"{len(other)} of them have other bits ({other[:3]}), {missing[:3]} came anew; {said}", {}
        return "ok", f"the same bits in {said}", {}


def _kill(process: subprocess.Popen):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _reason(out: Path, status: int | None, seconds: float) -> str:
    errors = sorted(out.glob("*.error"), key=lambda file: file.stat().st_mtime)
    lines = [line for line in (out / "log").read_text(errors="replace").splitlines() if line.strip()]
    # torchrun's own words come after those of the rank that failed.
    raised = [line for line in lines if _RAISED.search(line) and "ChildFailedError" not in line]
    told = errors[0].read_text() if errors else " | ".join(raised[:1] or lines[-3:])
    return f"stuck after {seconds:.0f} s: {told}" if status is None else f"exit status {status}: {told}"


def tensors_of(cut: Path) -> dict[str, torch.Tensor]:
    """All tensors of a cut, weights and optimizer state, whole."""
    reader = dcp.FileSystemReader(str(checkpoint.iteration_directory(cut)))
    described = reader.read_metadata().state_dict_metadata
    state = {
        name: torch.empty(tensor.size, dtype=tensor.properties.dtype)
        for name, tensor in described.items()
        if isinstance(tensor, dcp.metadata.TensorStorageMetadata)
    }
    dcp.load(state, storage_reader=reader, no_dist=True)
    return state


def _weights(cut: Path) -> dict[str, torch.Tensor]:
    """The weights as the optimizer holds them where it has its own, else as the model does; f64."""
    state = tensors_of(cut)
    names = [name for name in state if not name.startswith("optimizer.") and "_extra_state" not in name]
    mains = {name: f"optimizer.state.fp32_param.{name}" for name in names}
    return {name: state.get(mains[name], state[name]).double() for name in names}


def _moved(out: Path) -> float:
    begun, after = _weights(out / "begun"), _weights(out / "after")
    return _norm({name: after[name] - begun[name] for name in after}) / _norm(begun)


def _norm(tensors: dict[str, torch.Tensor]) -> float:
    return sum(float(tensor.square().sum()) for tensor in tensors.values()) ** 0.5


def _same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and torch.equal(one, other)


def offload(bench: Bench, options: argparse.Namespace):
    """What two ranks give up and take back, of a model that is worth it. Alone on the GPUs."""
    began = time.monotonic()
    here = options.device == "cuda"
    ranks = min(2, torch.cuda.device_count()) if here else 2
    layout = EP2 if ranks == 2 else {}
    args = shapes.flash(4, 32, **layout) if here else shapes.small("moe", False, **layout)
    order = {"args": args, "dataRanks": ranks, "offload": 4096 if here else 256}
    try:
        told = bench.start("offload", ranks, order)
    except Exception as e:
        bench.row("offload, onload", "failed", str(e), {}, time.monotonic() - began)
        return
    gib = 2**30
    said = [f"{ranks} ranks of {told['parameters'] / 1e9:.2f} B parameters"]
    for name in ("firstOffload", "firstOnload", "againOffload", "againOnload"):
        m = told[name]
        said.append(
            f"{name} {m['bytes'] / gib:.2f} GiB in {m['seconds']:.2f} s, used {m['usedBefore'] / gib:.2f} -> "
            f"{m['usedAfter'] / gib:.2f}"
        )
    right = told["sameWeights"]
    if here:
        right &= told["waitedForRoom"] >= 2.5 and told["refusedWithoutRoom"].startswith("internal: ")
        said.append(f"waited {told['waitedForRoom']} s for room; without: {told['refusedWithoutRoom']}")
    bench.row("offload, onload", "ok" if right else "failed", "; ".join(said), told, time.monotonic() - began)


def export(bench: Bench, options: argparse.Namespace, name: str, further: list[str]):
    """The fixture's weights, loaded under a layout and exported: the Hugging Face files that they were converted from."""
    began = time.monotonic()
    fixtures = shapes.FIXTURES
    if not (fixtures / "hf_tiny").is_dir():
        bench.row(name, "skipped", f"needs the repository: {fixtures} is not there", {}, 0.0)
        return
    half = ["--bf16"] if options.device == "cuda" else []
    order = {
        "checkpoint": str(fixtures / "torch_dist_mcore016slime_te_names"),
        "hf": str(fixtures / "hf_tiny"),
        "args": [*(HERE.parent / "fixtures" / "glm4_moe_lite.args").read_text().split(), *half, *further],
        "tensors": str(HERE.parent / "fixtures" / "hf_tiny.tensors.json"),
        "do": ["export"],
        "roots": ["/"],
    }
    try:
        bench.start(name, 2, order, HERE.parent / "one_model.py")
        from safetensors.torch import load_file

        written, source = (
            {k: v for file in Path(directory).glob("*.safetensors") for k, v in load_file(file).items()}
            for directory in (bench.out(name) / "hf", fixtures / "hf_tiny")
        )
        other = [k for k in source if k not in written or not torch.equal(written[k].float(), source[k].float())]
        said = (
            f"{len(other)} of {len(source)} tensors are other ones: {other[:3]}" if other else f"{len(source)} tensors"
        )
        bench.row(name, "failed" if other else "ok", said, {}, time.monotonic() - began)
    except Exception as e:
        bench.row(name, "failed", str(e), {}, time.monotonic() - began)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--only", default="", help="beginnings of names of cases, by commas; their bases run too")
    parser.add_argument("--jobs", type=int, default=8, help="cases at once")
    parser.add_argument("--seconds", type=int, default=340)
    parser.add_argument("--case-seconds", type=int, default=110)
    parser.add_argument("--folder", type=Path, help="where to keep logs and cuts")
    options = parser.parse_args()
    kept = options.folder or Path(tempfile.mkdtemp(prefix="sluice-ranks."))
    bench = Bench(options, kept)
    signal.signal(signal.SIGTERM, bench.give_up)
    cases, resumes = bench.wanted(CASES), bench.wanted(RESUMES)
    needed = {name for case in (*cases, *resumes) for name in (case.base, case.resume)}
    cases += [case for case in CASES if case.name in needed and case not in cases]
    bases = [case for case in BASES if case.name in {case.base for case in (*cases, *resumes)}]
    print(f"logs and cuts in {kept}; torch {torch.__version__}, {torch.cuda.device_count()} GPUs", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        exports = []
        if not options.only or "export" in options.only:
            layouts = {"export, ep2": _EXPERTS, "export, pp2": _PIPELINE, "export, tp2 etp2": _TENSOR}
            exports = [pool.submit(export, bench, options, *layout) for layout in layouts.items()]
        for batch in (bases, cases, resumes):
            list(pool.map(bench.run, batch))
        wait(exports)
    if not options.only or "offload" in options.only:
        offload(bench, options)
    if not bench.failed and not options.folder:
        shutil.rmtree(kept, ignore_errors=True)
    print(f"{bench.rows - bench.failed} of {bench.rows} cases right or skipped")
    return 1 if bench.failed else 0


_EXPERTS = ["--expert-model-parallel-size", "2"]
_TENSOR = ["--tensor-model-parallel-size", "2", "--expert-tensor-parallel-size", "2", "--sequence-parallel"]
_PIPELINE = ["--pipeline-model-parallel-size", "2", "--decoder-last-pipeline-num-layers", "1"]


if __name__ == "__main__":
    sys.exit(main())
