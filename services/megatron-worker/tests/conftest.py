import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def megatron(tmp_path_factory):
    """One worker with Megatron for all tests, since it takes long to start; each loads what it needs."""
    from megatron_worker import MegatronWorker

    with MegatronWorker(tmp_path_factory.mktemp("megatron")) as worker:
        yield worker.await_listening()
