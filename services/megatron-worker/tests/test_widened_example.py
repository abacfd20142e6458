"""The example's model made wider and deeper, by deploy/examples/sglang/widen.py, says what the tiny one says."""

import json
import subprocess
import sys

import pytest
from megatron_process import REPOSITORY

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

EXAMPLES = REPOSITORY / "deploy/examples"
TINY = EXAMPLES / "tiny/model"
WIDER = {
    "hidden_size": 256,
    "intermediate_size": 512,
    "moe_intermediate_size": 64,
    "n_routed_experts": 32,
    "num_experts_per_tok": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "vocab_size": 2048,
    "q_lora_rank": 768,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 192,
    "qk_rope_head_dim": 64,
    "v_head_dim": 256,
}


def widened(folder, *arguments):
    command = [sys.executable, "-W", "ignore", str(EXAMPLES / "sglang/widen.py"), str(TINY), str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def like(folder, **other):
    config = folder / "like.json"
    config.write_text(json.dumps(json.loads((TINY / "config.json").read_text()) | WIDER | other))
    return str(config)


def logprobs(model, tokens):
    loaded = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    with torch.no_grad():
        return torch.log_softmax(loaded(tokens).logits.float(), -1)


def test_a_wider_and_deeper_model_says_what_the_tiny_one_says(tmp_path):
    done = widened(tmp_path / "wide", "--like", like(tmp_path), "--layers", "5")
    tokens = torch.randint(2, 64, (4, 24), generator=torch.Generator().manual_seed(0))

    tiny, wide = logprobs(TINY, tokens), logprobs(tmp_path / "wide", tokens)

    assert done.returncode == 0, done.stderr
    assert wide.shape[-1] == 2048
    # The constant that keeps added tokens out of reach adds to what norms divide by.
    assert (wide[..., :64].exp() - tiny.exp()).abs().max() < 0.03
    assert wide[..., 64:].max() < -20


def test_attention_alone_made_wider_is_the_same_up_to_rounding(tmp_path):
    done = widened(tmp_path / "wide")
    tokens = torch.arange(2, 26)[None]

    tiny, wide = logprobs(TINY, tokens), logprobs(tmp_path / "wide", tokens)

    assert done.returncode == 0, done.stderr
    assert (wide - tiny).abs().max() < 0.02


@pytest.mark.parametrize(
    ("other", "arguments", "words"),
    [
        ({"hidden_size": 32}, [], "the model would become narrower: hidden_size"),
        ({"hidden_size": 64}, [], "more tokens need a larger hidden_size"),
        ({"n_routed_experts": 12}, [], "16 experts, 2 of each, do not fit"),
        ({"num_experts_per_tok": 5}, [], "do not fit: see num_experts_per_tok"),
        ({"model_type": "llama"}, [], "is of llama, the model of glm4_moe_lite"),
        ({}, ["--layers", "2"], "--layers is 2; give 3 or more"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path, other, arguments, words):
    done = widened(tmp_path / "wide", "--like", like(tmp_path, **other), *arguments)

    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "wide").exists()
