"""What goes wrong in a worker, in words for a person."""


class WorkerError(Exception):
    """A refusal or failure as the training-worker API tells it.

    ``code`` is a wire name of WorkerErrorCode in common/worker-api; ``rank`` the rank that failed, where that makes sense.
    """

    def __init__(self, code: str, message: str, mend: str = "", rank: int | None = None):
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
        self.rank = rank
