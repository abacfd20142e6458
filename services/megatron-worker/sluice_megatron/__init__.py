"""Sluice's training worker on Megatron-Core: the training-worker API over HTTP, one process a GPU under torchrun."""

import os
import sys

if os.environ.get("SLUICE_WORKER_DEVICE") == "cpu":
    # Where TransformerEngine is installed Megatron uses it for some products whatever its arguments say, and it needs a GPU. An
    # import of what is None fails as one of what is not there.
    sys.modules["transformer_engine"] = None
