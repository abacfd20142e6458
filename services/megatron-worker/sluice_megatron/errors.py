"""What goes wrong in a worker, in words for a person."""

import errno
from typing import Any

# HTTP status of a refusal by its code: WorkerErrorCode of common/worker-api.
STATUS = {
    "unauthorised": 401,
    "stale_epoch": 409,
    "invalid_request": 400,
    "not_found": 404,
    "path_refused": 400,
    "unsupported": 400,
    "not_loaded": 409,
    "step_out_of_order": 409,
    "bad_batch": 400,
    "bad_checkpoint": 400,
    "not_finite": 500,
    "disk_full": 507,
    "out_of_memory": 500,
    "internal": 500,
}

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_GPU_MEMORY = ("out of memory", "Failed to CUDA calloc", "Failed to CUDA malloc")


class WorkerError(Exception):
    """A refusal or failure as the training-worker API tells it.

    ``code`` is a wire name of WorkerErrorCode in common/worker-api; ``rank`` the rank that failed, where that makes
    sense.
    """

    def __init__(self, code: str, message: str, mend: str = "", rank: int | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
        self.rank = rank

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 500)

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "mend": self.mend, "rank": self.rank}

    @staticmethod
    def from_json(told: dict[str, Any]) -> "WorkerError":
        return WorkerError(told["code"], told["message"], told["mend"], told["rank"])


def error_of(thrown: BaseException) -> WorkerError:
    """Turns what was thrown into what a caller is told."""
    if isinstance(thrown, WorkerError):
        return thrown
    cause: BaseException | None = thrown
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
            return WorkerError("disk_full", str(thrown), "free space on the data root's disk")
        cause = cause.__cause__ or cause.__context__
    if isinstance(thrown, MemoryError) or is_out_of_gpu_memory(thrown):
        return WorkerError(
            "out_of_memory",
            str(thrown) or "the host's memory does not suffice",
            "lower layout.tokensPerGpu, recompute more, or spread the model over more GPUs",
        )
    return WorkerError("internal", f"{type(thrown).__name__}: {thrown}", "see the worker's log")


def is_out_of_gpu_memory(thrown: BaseException) -> bool:
    """Whether that is what was thrown, in the words of torch, CUDA's libraries or NCCL, whose error tells the call and not why
    it failed (``ncclCudaCalloc`` in its src/include/alloc.h)."""
    # torch is not imported for its exception: the shell alone starts without it.
    return type(thrown).__name__ == "OutOfMemoryError" or any(words in str(thrown) for words in _NO_GPU_MEMORY)
