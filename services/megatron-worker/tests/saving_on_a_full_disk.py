"""One rank saves a cut whose file is on a disk without room (/dev/full), and tells in JSON what became of it."""

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from megatron.core.dist_checkpointing.mapping import ShardedTensor

from sluice_megatron import device
from sluice_megatron.errors import WorkerError
from sluice_megatron.saving import Saving


def main(directory: Path):
    device.use_cpu()
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    directory.mkdir()
    weights = ShardedTensor.from_rank_offsets("weights", torch.zeros(1 << 20))
    saving = Saving({"weights": weights}, directory, {}, copied=True)
    (directory / "__0_0.distcp").symlink_to("/dev/full")
    try:
        saving.write()
        print(json.dumps({"code": "none"}))
    except WorkerError as e:
        print(json.dumps({"code": e.code, "message": e.message, "mend": e.mend}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
