"""Log-probabilities, entropies and their gradients in pieces, beside PyTorch's own of all logits at once."""

import pytest
import torch
import torch.distributed as dist
from megatron_process import needs_megatron

ROWS, WIDTH, VOCABULARY, PADDED = 1000, 16, 300, 320
TEMPERATURE = 0.7


@pytest.fixture(scope="module")
def one_rank():
    from megatron.core import parallel_state as mpu

    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    mpu.initialize_model_parallel(create_gloo_process_groups=False)
    yield
    mpu.destroy_model_parallel()
    dist.destroy_process_group()


def given() -> tuple[torch.Tensor, ...]:
    """Hidden states, weight, labels, and what each log-probability and entropy counts in a loss."""
    generator = torch.Generator().manual_seed(5)
    hidden = torch.randn((ROWS, WIDTH), generator=generator)
    weight = torch.randn((PADDED, WIDTH), generator=generator)
    labels = torch.randint(0, VOCABULARY, (ROWS,), generator=generator)
    return hidden, weight, labels, torch.randn(ROWS, generator=generator), torch.randn(ROWS, generator=generator)


@needs_megatron
@pytest.mark.parametrize("kept", [1 << 30, 0], ids=["logits kept", "logits made again"])
@pytest.mark.parametrize("rows", [128, 512, 4096])
def test_pieces_of_any_size_give_the_scores_and_gradients_of_all_logits_at_once(one_rank, monkeypatch, rows, kept):
    from sluice_megatron import scores

    monkeypatch.setattr(scores, "PIECE_BYTES", rows * PADDED * 4)
    monkeypatch.setattr(scores, "KEPT_BYTES", kept)
    hidden, weight, labels, of_logprobs, of_entropies = given()
    found = [hidden.clone()[:, None].requires_grad_(), weight.clone().requires_grad_()]
    logprobs, entropies = scores.token_scores(*found, labels, TEMPERATURE, VOCABULARY, sequence_parallel=False)
    (logprobs * of_logprobs + entropies * of_entropies).sum().backward()

    expected = [hidden.double().requires_grad_(), weight.double().requires_grad_()]
    logs = ((expected[0] @ expected[1].t())[:, :VOCABULARY] / TEMPERATURE).log_softmax(-1)
    picked, spread = logs.gather(1, labels[:, None]).squeeze(1), -(logs.exp() * logs).sum(-1)
    (picked * of_logprobs + spread * of_entropies).sum().backward()

    close = {"rtol": 1e-4, "atol": 1e-4, "check_dtype": False}
    torch.testing.assert_close(logprobs, picked, **close)
    torch.testing.assert_close(entropies, spread, **close)
    torch.testing.assert_close(found[0].grad.squeeze(1), expected[0].grad, **close)
    torch.testing.assert_close(found[1].grad, expected[1].grad, **close)


@needs_megatron
@pytest.mark.parametrize("shared", [False, True], ids=["own weight", "the embedding's weight"])
@pytest.mark.parametrize(("device", "kind"), [("cpu", torch.float32), ("cuda", torch.bfloat16)])
def test_a_weight_that_megatron_gave_a_buffer_is_summed_up_there_over_micro_batches(one_rank, device, kind, shared):
    from sluice_megatron import scores

    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU is here")
    hidden, weight, labels, of_logprobs, _ = (value.to(device) for value in given())
    hidden, weight = hidden.to(kind), weight.to(kind)
    alone, buffered = weight.clone().requires_grad_(), weight.clone().requires_grad_()
    buffered.main_grad, buffered.grad_added_to_main_grad = torch.zeros_like(weight, dtype=torch.float32), False
    buffered.zero_out_wgrad = shared
    for found in (alone, buffered):
        for _ in range(2):
            logprobs, _ = scores.token_scores(hidden[:, None], found, labels, 1.0, VOCABULARY, sequence_parallel=False)
            (logprobs * of_logprobs).sum().backward()

    assert buffered.grad_added_to_main_grad
    rounded = torch.finfo(kind).eps * alone.grad.abs().max().item()
    torch.testing.assert_close(buffered.main_grad, alone.grad.float(), rtol=0, atol=max(1e-5, rounded))
    assert not shared or not buffered.grad.any()


@needs_megatron
@pytest.mark.parametrize(
    ("rows", "entries", "sizes"),
    [(8192, 154_880, [4096] * 2), (9000, 154_880, [3072, 3072, 2856]), (8192, 19_360, [8192]), (5, 154_880, [5])],
)
def test_pieces_are_few_of_about_the_same_size_and_cover_all_rows(rows, entries, sizes):
    from sluice_megatron import scores

    pieces = scores._pieces(rows, torch.empty((entries, 0), dtype=torch.bfloat16))

    assert [piece.stop - piece.start for piece in pieces] == sizes
    assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
