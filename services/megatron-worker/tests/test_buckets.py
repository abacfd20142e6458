"""How tensors are put into buckets, and what a bucket looks like to SGLang."""

import base64
import io

import pytest
import torch
from megatron_worker import needs_megatron

pytestmark = needs_megatron


@pytest.fixture(scope="module")
def plan():
    from sluice_megatron.buckets import plan

    return plan


def entries(*named):
    from sluice_megatron.tensors import Entry

    return [Entry(name, shape, float32, ()) for name, shape, float32 in named]


def names(buckets):
    return [bucket.names for bucket in buckets]


def test_the_two_projections_that_sglang_fuses_are_never_parted(plan):
    given = entries(
        ("layers.0.self_attn.q_a_proj.weight", (8, 64), False),
        ("layers.0.input_layernorm.weight", (64,), False),
        ("layers.0.self_attn.kv_a_proj_with_mqa.weight", (4, 64), False),
        ("layers.1.self_attn.kv_a_proj_with_mqa.weight", (4, 64), False),
        ("layers.1.self_attn.q_a_proj.weight", (8, 64), False),
    )

    # 1536 bytes a pair and 128 the norm.
    assert names(plan(given, 1600)) == [
        ["layers.0.self_attn.q_a_proj.weight", "layers.0.self_attn.kv_a_proj_with_mqa.weight"],
        ["layers.0.input_layernorm.weight"],
        ["layers.1.self_attn.kv_a_proj_with_mqa.weight", "layers.1.self_attn.q_a_proj.weight"],
    ]
    # Also where no bucket is large enough for both.
    assert all(len(bucket.entries) == 2 or bucket.bytes == 128 for bucket in plan(given, 1))


def test_float32_comes_first_and_experts_last_each_in_the_order_of_the_table(plan):
    given = entries(
        ("layers.1.mlp.experts.0.up_proj.weight", (4,), False),
        ("embed.weight", (4,), False),
        ("layers.1.mlp.shared_experts.up_proj.weight", (4,), False),
        ("layers.1.mlp.gate.e_score_correction_bias", (3,), True),
    )

    buckets = plan(given, 1 << 20)

    assert names(buckets) == [
        ["layers.1.mlp.gate.e_score_correction_bias"],
        [
            "embed.weight",
            "layers.1.mlp.shared_experts.up_proj.weight",
            "layers.1.mlp.experts.0.up_proj.weight",
        ],
    ]
    assert [(bucket.dtype, bucket.bytes) for bucket in buckets] == [(torch.float32, 12), (torch.bfloat16, 24)]


def test_a_payload_is_what_sglangs_own_reader_makes_tensors_of(plan):
    from engine_process import SafeUnpickler

    from sluice_megatron.handles import payload

    [bucket] = plan(entries(("a", (3, 5), False), ("b", (7,), False)), 1 << 20)
    flat = torch.arange(44, dtype=torch.uint8)

    sent = payload(bucket, flat)

    readers = [lambda: SafeUnpickler(io.BytesIO(base64.b64decode(sent))).load()]
    try:
        from sglang.srt.utils.common import MultiprocessingSerializer

        readers.append(lambda: MultiprocessingSerializer.deserialize(sent))
    except ImportError:
        pass  # the list in engine_process.py is taken from it
    for read in readers:
        told = read()
        assert torch.equal(told["flattened_tensor"], flat)
        a, b = told["metadata"]
        assert (a.name, tuple(a.shape), a.dtype, a.start_idx, a.end_idx, a.numel) == (
            "a",
            (3, 5),
            torch.bfloat16,
            0,
            30,
            30,
        )
        assert (b.name, tuple(b.shape), b.start_idx, b.end_idx) == ("b", (7,), 30, 44)
