"""The GPUs that are given here, by the names that CUDA_VISIBLE_DEVICES takes."""

import os
import threading

import torch


def names() -> list[str]:
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    return told.split(",") if told else [str(number) for number in range(torch.cuda.device_count())]


class Pool:
    """Lends them out."""

    def __init__(self):
        self._free = names()
        self.count = len(self._free)
        self._returned = threading.Condition()

    def take(self, wanted: int) -> list[str]:
        with self._returned:
            self._returned.wait_for(lambda: len(self._free) >= wanted)
            return [self._free.pop(0) for _ in range(wanted)]

    def give_back(self, taken: list[str]):
        with self._returned:
            self._free += taken
            self._returned.notify_all()
