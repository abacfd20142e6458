"""A worker without a model: the verbs that the shell's tests need, with real collectives over gloo.

``args`` of a load, or the batch of a train, say what happens: ``RANK:WHAT`` with sleep, error, oom, exit, spin or step.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

sys.path.insert(0, str(Path(__file__).parent.parent))

from sluice_megatron.__main__ import run
from sluice_megatron.conductor import Limits
from sluice_megatron.errors import WorkerError
from sluice_megatron.ranks import Rest, phase


class SmallWorker:
    def __init__(self, roots):
        torch.set_num_threads(1)
        dist.init_process_group("gloo", timeout=timedelta(minutes=5))
        self._roots = roots
        self._rank = dist.get_rank()
        self._standing = {"runId": None, "step": -1, "batchSha256": None, "weightVersion": -1}

    def standing(self):
        return self._standing

    def info(self):
        return {"backend": "small", "version": "0", "capabilities": ["train", "save"], "deterministic": True}

    def load(self, request, progress):
        self._roots.existing(request.checkpoint)
        progress(1, 2)
        self._act(request.args)
        self._standing = {**self._standing, "runId": request.run_id, "step": 0}
        return {"step": 0, "parameters": self._sum(1), "mtp": False, "seconds": 0.0, "weightsSha256": None}

    def train(self, request):
        if request.step != self._standing["step"] + 1:
            raise WorkerError("step_out_of_order", f"step {request.step} was asked for", "send the next")
        for micro_batch in range(3):
            phase(f"optimizer step 0, micro-batch {micro_batch + 1} of 3")
            self._act([request.batch])
        self._standing = {**self._standing, "step": request.step}
        return {"step": request.step, "sum": self._sum(self._rank + 1)}

    def save(self, request, progress):
        target = self._roots.absent(request.dir)
        names = [f"part-{rank}" for rank in range(dist.get_world_size())]
        # All ranks have looked before one of them writes.
        self._sum(0)

        def write():
            target.mkdir(exist_ok=True)
            if "slow" in target.name:
                phase("slowly")
                time.sleep(1.5)
            if "full" in target.name and self._rank == 1:
                raise OSError(28, "No space left on device")
            (target / names[self._rank]).write_text("x")

        def finish():
            assert sorted(file.name for file in target.iterdir()) == names
            return {"dir": str(target), "manifest": "m", "manifestSha256": "ab", "bytes": len(names), "seconds": 0.1}

        def abandon():
            for file in target.iterdir():
                file.unlink()
            target.rmdir()

        if request.asynchronous:
            return Rest(write, finish, abandon)
        write()
        self._sum(0)
        return finish()

    def offload(self, request):
        """Rank 1 never comes back from it."""
        self._act(["1:sleep"])
        return {"bytes": 1, "usedBefore": 2, "usedAfter": 1, "seconds": 0.0}

    def onload(self, request):
        """Rank 1 alone cannot."""
        self._act(["1:error"])
        return {"bytes": 1, "usedBefore": 1, "usedAfter": 2, "seconds": 0.0}

    def _act(self, args):
        for arg in args:
            rank, _, what = arg.partition(":")
            if rank not in (str(self._rank), "all"):
                continue
            if what == "sleep":
                phase("asleep")
                time.sleep(600)
            elif what.startswith("nap"):
                time.sleep(float(what[3:]))
            elif what == "error":
                raise WorkerError("bad_batch", "token 9 is out of range", "send another batch")
            elif what == "oom":
                raise MemoryError
            elif what == "exit":
                sys.exit("bad arguments")
            elif what == "die":
                os.kill(os.getpid(), 9)

    def _sum(self, value):
        total = torch.tensor([value])
        dist.all_reduce(total)
        return int(total)


if __name__ == "__main__":
    run(SmallWorker, Limits(after_error=1.0, after_others=2.0, last_answer=6.0))
