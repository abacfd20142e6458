"""What a worker says to loads that cannot be: prints [code, message, mend] by case, for test_refusals.py."""

import json
import sys
from pathlib import Path

from megatron_process import FIXTURES, HERE, REPOSITORY, arguments

from sluice_megatron.errors import error_of
from sluice_megatron.paths import AllowedRoots
from sluice_megatron.wire import ExportRequest, LoadRequest
from sluice_megatron.worker import Worker

TINY = FIXTURES / "torch_dist_mcore016slime_te_names"


def main():
    out = Path(sys.argv[1])
    worker = Worker(AllowedRoots([REPOSITORY, out]))
    plan = arguments("glm4_moe_lite")

    def load(args=plan, checkpoint=TINY):
        tensors = str(HERE / "fixtures/hf_tiny.tensors.json")
        hf = str(FIXTURES / "hf_tiny")
        request = LoadRequest(0, "load", "run", str(checkpoint), None, None, None, hf, tuple(args), None, tensors)
        worker.load(request, lambda done, total: None)

    def with_value(flag, value):
        return [value if before == flag else word for before, word in zip(["", *plan], plan, strict=False)]

    hostile = out / "hostile"
    hostile.mkdir()
    (hostile / ".metadata").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    cases = {
        "unknown flag": lambda: load([*plan, "--no-such-flag", "3"]),
        "ranks that are not there": lambda: load(with_value("--tensor-model-parallel-size", "3")),
        "no DeepEP": lambda: load([*with_value("--moe-token-dispatcher-type", "flex"), "--moe-enable-deepep"]),
        "no number": lambda: load(with_value("--moe-router-topk", "x")),
        "another model": lambda: load(checkpoint=FIXTURES / "families/qwen3/torch_dist"),
        "another width": lambda: load(with_value("--ffn-hidden-size", "128")),
        "no checkpoint": lambda: load(checkpoint=out),
        "a checkpoint that runs code": lambda: load(checkpoint=hostile),
        "outside": lambda: load(checkpoint="/etc"),
        "nothing loaded": lambda: worker.export(ExportRequest(0, "e", str(out / "x"), 1, "bfloat16")),
    }
    print(json.dumps({name: _said(case) for name, case in cases.items()}))


def _said(case):
    try:
        case()
    except BaseException as e:
        error = error_of(e)
        return [error.code, error.message, error.mend]
    return ["done", "", ""]


if __name__ == "__main__":
    main()
