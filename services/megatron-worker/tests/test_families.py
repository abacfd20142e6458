"""Every family of the converter: its fixture loads, passes as transformers does, and exports bit for bit."""

import pytest
import torch
from megatron_process import FIXTURES, HERE, arguments, needs_megatron, run, weights, write_batch
from safetensors.torch import load_file

transformers = pytest.importorskip("transformers")

FAMILIES = ["llama", "qwen2", "qwen3", "qwen3_moe", "glm4_moe", "deepseek_v3", "mimo"]


@needs_megatron
@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_passes_as_transformers_does_and_comes_out_as_it_went_in(family, tmp_path):
    source = FIXTURES / "families" / family / "hf"
    tokens = torch.randint(3, 60, (2, 16), generator=torch.Generator().manual_seed(7))
    ones = torch.ones_like(tokens)
    ones[:, 0] = 0
    write_batch(
        tmp_path / "batch", 1, {"tokens": tokens, "loss_mask": ones, "advantages": ones, "logprobs": -ones.float()}
    )
    run(
        tmp_path / "out",
        ["forward", "export"],
        checkpoint=str(FIXTURES / "families" / family / "torch_dist"),
        hf=str(source),
        args=arguments(family),
        tensors=str(HERE / "fixtures" / f"{family}.tensors.json"),
        batches=[str(tmp_path / "batch")],
    )

    before, after = weights(source), weights(tmp_path / "out" / "hf")
    assert before.keys() == after.keys()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []
    if family == "mimo":
        return  # transformers does not know it
    found = load_file(tmp_path / "out" / "passes.safetensors")["logprobs"].reshape(2, 16)
    with torch.no_grad():
        model = transformers.AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
        expected = model(tokens).logits.log_softmax(-1)[:, :-1].gather(2, tokens[:, 1:, None]).squeeze(2)
    assert (found[:, 1:] - expected).abs().max() < 2e-4  # transformers' latent norms have an epsilon of their own
