"""Sluice's training worker on Megatron-Core: the training-worker API over HTTP, one process a GPU under torchrun."""
