"""Forward, one GRPO step and its cut on the fixtures, on one rank and on two.

Expected: parity_mcore (Megatron-Core's own logits) and parity_train_hf (transformers and torch's AdamW), both made apart from
this project; see common/checkpoint/src/test/fixtures/README.md.
"""

import pytest
import torch
from megatron_process import FIXTURES, HERE, arguments, needs_megatron, run, weights, write_batch
from safetensors.torch import load_file

MTP = ["--mtp-num-layers", "1", "--mtp-loss-scaling-factor", "0.2", "--mtp-detach-heads"]


def order(tmp_path, ranks=1, **layout):
    """The fixture's step as an order for one_model.py; samples are dealt out to data-parallel ranks."""
    given = load_file(FIXTURES / "parity_train_hf.safetensors")
    tokens = load_file(FIXTURES / "parity_hf.safetensors")["tokens"]
    columns = {"tokens": tokens}
    for name, at in (("loss_mask", given["grpo.mask"]), ("logprobs", given["grpo.old_logprobs"])):
        columns[name] = torch.zeros(tokens.shape, dtype=at.dtype)
        columns[name][:, 1:] = at
    columns["advantages"] = given["grpo.advantages"][:, None].expand(tokens.shape)
    batches = []
    for step in (1, 2, 3):
        batches.append(str(tmp_path / f"batch-{step}-{ranks}"))
        write_batch(batches[-1], step, columns, ranks)
    args = arguments("glm4_moe_lite")
    for name, size in layout.items():
        args[args.index("--" + name.replace("_", "-")) + 1] = str(size)
    return {
        "checkpoint": str(FIXTURES / "torch_dist_mcore016slime_te_names"),
        "hf": str(FIXTURES / "hf_tiny"),
        "tensors": str(HERE / "fixtures/hf_tiny.tensors.json"),
        "args": args,
        "batches": batches,
        "loss": {},
    }


def worst(expected, found):
    """The largest relative difference of tensors, ||a-b|| / ||b||."""
    return max(
        ((found[name] - tensor).norm() / tensor.norm()).item() for name, tensor in expected.items() if tensor.norm() > 0
    )


@needs_megatron
def test_log_probabilities_are_megatrons_own(tmp_path):
    given = order(tmp_path)
    run(tmp_path / "out", ["forward"], **given)

    tokens = load_file(FIXTURES / "parity_hf.safetensors")["tokens"].long()
    logits = load_file(FIXTURES / "parity_mcore.safetensors")["mcore.logits"][..., :300]
    expected = logits.log_softmax(-1)[:, :-1].gather(2, tokens[:, 1:, None]).squeeze(2)
    found = load_file(tmp_path / "out/passes.safetensors")["logprobs"].reshape(tokens.shape)
    assert (found[:, 1:] - expected).abs().max() < 2e-5


@needs_megatron
def test_a_step_is_that_of_transformers_and_adamw(tmp_path):
    given = order(tmp_path)
    given["batches"] = given["batches"][:1]
    told = run(tmp_path / "out", ["train", "exportTrained"], **given)

    expected = load_file(FIXTURES / "parity_train_hf.safetensors")
    metrics = told["train"][0]["metrics"]
    # transformers gives the latent norms an epsilon of their own, which moves the loss by 1e-5.
    assert metrics["loss"] == pytest.approx(expected["grpo.loss"].item(), rel=1e-4)
    assert metrics["gradNorm"] == pytest.approx(expected["grpo.grad_norm"].item(), rel=1e-3)
    prefix = "grpo.adamw1."
    parameters = {k.removeprefix(prefix): v for k, v in expected.items() if k.startswith(prefix)}
    # Megatron decays no norms, by 1e-4 a step here.
    assert worst(parameters, weights(tmp_path / "out/trained")) < 2e-3


@needs_megatron
@pytest.mark.parametrize(
    ("ranks", "layout", "samples_over"),
    [
        (2, {}, 2),
        (2, {"expert_model_parallel_size": 2}, 2),
        (2, {"pipeline_model_parallel_size": 2}, 1),
    ],
    ids=["data", "expert", "pipeline"],
)
def test_two_ranks_train_and_export_what_one_does(ranks, layout, samples_over, tmp_path):
    one, two = order(tmp_path), order(tmp_path, samples_over, **layout)
    for given in (one, two):
        given["loss"] = {"mtp": 0.2}
        given["args"] += MTP
        given["batches"] = given["batches"][:1]
    if "pipeline_model_parallel_size" in layout:
        two["args"] += ["--decoder-first-pipeline-num-layers", "1"]
    alone = run(tmp_path / "one", ["train", "exportTrained"], **one)
    both = run(tmp_path / "two", ["train", "exportTrained"], ranks, **two)

    for name in ("loss", "mtpLoss", "gradNorm", "tokens", "trainRolloutLogprobMaxDifference"):
        assert both["train"][0]["metrics"][name] == pytest.approx(alone["train"][0]["metrics"][name], rel=1e-5)
    assert both["load"]["parameters"] == alone["load"]["parameters"]
    assert worst(weights(tmp_path / "one/trained"), weights(tmp_path / "two/trained")) < 1e-5


@needs_megatron
def test_a_dense_model_over_two_tensor_parallel_ranks_is_that_of_one(tmp_path):
    outs = []
    for ranks in (1, 2):
        given = order(tmp_path)
        given |= {
            "checkpoint": str(FIXTURES / "families/qwen3/torch_dist"),
            "hf": str(FIXTURES / "families/qwen3/hf"),
            "tensors": str(HERE / "fixtures/qwen3.tensors.json"),
            "args": arguments("qwen3"),
        }
        tokens = torch.randint(3, 60, (2, 16), generator=torch.Generator().manual_seed(3))
        mask = torch.ones_like(tokens)
        mask[:, :4] = 0
        given["batches"] = [str(tmp_path / "dense")]
        columns = {"tokens": tokens, "loss_mask": mask, "advantages": mask, "logprobs": -4.0 * mask}
        write_batch(given["batches"][0], 1, columns)
        if ranks == 2:
            at = given["args"].index("--tensor-model-parallel-size")
            given["args"][at + 1] = "2"
            given["args"].append("--sequence-parallel")
        told = run(tmp_path / str(ranks), ["export", "train", "exportTrained", "save"], ranks, **given)
        outs.append((told["train"][0]["metrics"], weights(tmp_path / str(ranks) / "trained")))

    assert outs[1][0]["gradNorm"] == pytest.approx(outs[0][0]["gradNorm"], rel=1e-5)
    assert worst(outs[0][1], outs[1][1]) < 1e-5


@needs_megatron
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_run_resumed_from_a_cut_has_the_bits_of_one_that_went_on(device, tmp_path):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here")
    given = order(tmp_path)
    given["args"] += ["--deterministic-mode", *MTP]
    given["loss"] = {"mtp": 0.2}
    first, rest = given["batches"][:1], given["batches"][1:]
    whole = run(tmp_path / "whole", ["train"], device=device, **given)
    run(tmp_path / "cut", ["train", "save"], device=device, **(given | {"batches": first}))
    resumed = given | {"batches": rest, "resumeFrom": str(tmp_path / "cut/cut")}
    again = run(tmp_path / "again", ["train"], device=device, **resumed)
    other = order(tmp_path, 2)
    other |= {"args": other["args"] + MTP, "loss": {"mtp": 0.2}, "batches": other["batches"][1:]}
    if device == "cpu":
        # The same cut under another layout: not the same bits, but the same training.
        elsewhere = run(tmp_path / "elsewhere", ["train"], 2, **(other | {"resumeFrom": str(tmp_path / "cut/cut")}))
        for mine, theirs in zip(again["train"], elsewhere["train"], strict=True):
            assert theirs["metrics"]["loss"] == pytest.approx(mine["metrics"]["loss"], rel=1e-4)

    assert again["load"]["step"] == 1
    hashes = [step["weightsSha256"] for step in whole["train"]]
    assert None not in hashes
    assert [step["weightsSha256"] for step in again["train"]] == hashes[1:]
