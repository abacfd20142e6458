"""Megatron arguments of the models that are run here, as `sluice plan` writes them, and where fixtures lie."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]
FIXTURES = Path(os.environ.get("SLUICE_FIXTURES", REPOSITORY / "common/checkpoint/src/test/fixtures"))

_LAYOUT = {
    "--tensor-model-parallel-size": "1",
    "--pipeline-model-parallel-size": "1",
    "--context-parallel-size": "1",
    "--expert-model-parallel-size": "1",
    "--expert-tensor-parallel-size": "1",
}
_OPTIMIZER = [
    "--optimizer",
    "adam",
    "--lr",
    "1e-6",
    "--lr-decay-style",
    "constant",
    "--weight-decay",
    "0.1",
    "--adam-beta1",
    "0.9",
    "--adam-beta2",
    "0.98",
    "--adam-eps",
    "1e-8",
    "--clip-grad",
    "1",
    "--use-distributed-optimizer",
    "--train-iters",
    "100",
    "--micro-batch-size",
    "1",
]
_PRECISION = [
    "--attention-dropout",
    "0",
    "--hidden-dropout",
    "0",
    "--accumulate-allreduce-grads-in-fp32",
    "--attention-softmax-in-fp32",
    "--attention-backend",
    "flash",
]
_DECODER = [
    "--normalization",
    "RMSNorm",
    "--norm-epsilon",
    "1e-5",
    "--swiglu",
    "--disable-bias-linear",
    "--untie-embeddings-and-output-weights",
    "--make-vocab-size-divisible-by",
    "64",
]
_EXPERTS = [
    "--moe-token-dispatcher-type",
    "alltoall",
    "--moe-router-score-function",
    "sigmoid",
    "--moe-router-pre-softmax",
    "--moe-router-load-balancing-type",
    "seq_aux_loss",
    "--moe-router-enable-expert-bias",
    "--moe-router-bias-update-rate",
    "0",
    "--moe-aux-loss-coeff",
    "0",
    "--moe-router-topk-scaling-factor",
    "1.8",
    "--moe-router-dtype",
    "fp32",
    "--moe-grouped-gemm",
    "--moe-permute-fusion",
]
_LATENT = [
    "--multi-latent-attention",
    "--qk-layernorm",
    "--position-embedding-type",
    "rope",
    "--rope-type",
    "rope",
    "--rotary-base",
    "1000000",
    "--no-rope-fusion",
]
MTP = ["--mtp-num-layers", "1", "--mtp-loss-scaling-factor", "0.2", "--mtp-detach-heads"]
FULL_RECOMPUTE = ["--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"]
CPU_ADAM = ["--optimizer-cpu-offload", "--overlap-cpu-optimizer-d2h-h2d", "--use-precision-aware-optimizer"]


def tiny(*further: str, **layout: int) -> tuple[str, ...]:
    """The fixtures' model of GLM-4.7-Flash's shape; ``layout`` such as tensor_model_parallel_size=2."""
    sizes = [
        "--seq-length",
        "512",
        "--num-layers",
        "3",
        "--hidden-size",
        "64",
        "--ffn-hidden-size",
        "160",
        "--num-attention-heads",
        "4",
        "--vocab-size",
        "300",
        "--max-position-embeddings",
        "512",
        "--q-lora-rank",
        "48",
        "--kv-lora-rank",
        "32",
        "--qk-head-dim",
        "24",
        "--qk-pos-emb-head-dim",
        "8",
        "--v-head-dim",
        "32",
        "--kv-channels",
        "24",
        "--num-experts",
        "8",
        "--moe-layer-freq",
        "[0]*1+[1]*2",
        "--moe-ffn-hidden-size",
        "40",
        "--moe-router-topk",
        "2",
        "--moe-shared-expert-intermediate-size",
        "40",
    ]
    return _arguments(sizes, further, layout)


def small(kind: str, half: bool, *further: str, **layout: int) -> tuple[str, ...]:
    """Four layers whose sizes every kernel takes: ``dense`` (grouped queries), ``mla``, ``moe`` (MLA, experts, MTP), or
    ``grouped`` (grouped queries, experts, MTP).
    """
    sizes = (
        "--seq-length 512 --num-layers 4 --hidden-size 256 --ffn-hidden-size 512 --num-attention-heads 4 --vocab-size 1000 "
        "--max-position-embeddings 512"
    ).split()
    if kind in ("dense", "grouped"):
        sizes += "--group-query-attention --num-query-groups 2 --kv-channels 64".split()
        sizes += "--position-embedding-type rope --rotary-base 10000".split()
    else:
        sizes += _LATENT
        sizes += (
            "--q-lora-rank 128 --kv-lora-rank 64 --qk-head-dim 96 --qk-pos-emb-head-dim 32 --v-head-dim 128".split()
        )
        sizes += "--kv-channels 96".split()
    if kind in ("moe", "grouped"):
        sizes += _EXPERTS + MTP
        sizes += "--num-experts 8 --moe-layer-freq [0]*1+[1]*3 --moe-ffn-hidden-size 128 --moe-router-topk 2".split()
        sizes += "--moe-shared-expert-intermediate-size 128".split()
    precision = ["--bf16"] if half else []
    return (*_layout(layout), *_OPTIMIZER, *_PRECISION, *_DECODER, *sizes, *precision, *further)


def llama(layers: int, width: int, vocabulary: int, length: int, half: bool) -> tuple[str, ...]:
    """Dense layers of llama's kind; llama.py has the same in Hugging Face's words."""
    sizes = (
        f"--seq-length {length} --num-layers {layers} --hidden-size {width} --ffn-hidden-size {4 * width} "
        f"--num-attention-heads {width // 64} --kv-channels 64 --vocab-size {vocabulary} "
        f"--max-position-embeddings {length} --position-embedding-type rope --rotary-base 10000"
    ).split()
    precision = ["--bf16"] if half else []
    return (*_layout({}), *_OPTIMIZER, *_PRECISION, *_DECODER, *sizes, *precision)


def flash(layers: int, experts: int, *further: str, **layout: int) -> tuple[str, ...]:
    """GLM-4.7-Flash at real width with fewer layers or experts: one dense layer, the others with experts."""
    sizes = (
        f"--bf16 --seq-length 8192 --num-layers {layers} --hidden-size 2048 --ffn-hidden-size 10240 --num-attention-heads 20 "
        "--vocab-size 154880 --max-position-embeddings 202752 --q-lora-rank 768 --kv-lora-rank 512 --qk-head-dim 192 "
        f"--qk-pos-emb-head-dim 64 --v-head-dim 256 --kv-channels 192 --num-experts {experts} "
        f"--moe-layer-freq [0]*1+[1]*{layers - 1} --moe-ffn-hidden-size 1536 --moe-router-topk 4 "
        "--moe-shared-expert-intermediate-size 1536"
    ).split()
    return _arguments(sizes, further, layout)


def flops_a_token(layers: int, length: int) -> float:
    """Floating-point operations of a training step a token, forward and twice that backward, of ``flash``: 2 a weight that
    the token meets, and causal attention's 2 products over half of ``length``.
    """
    attention = 2048 * 768 + 768 * 20 * 256 + 2048 * 576 + 512 * 20 * (192 + 256) + 20 * 256 * 2048
    dense = 3 * 2048 * 10240
    sparse = 3 * 2048 * 1536 * (4 + 1) + 2048 * 64
    weights = layers * attention + dense + (layers - 1) * sparse + 2048 * 154880
    products = layers * 2 * 20 * (256 + 256) * length / 2
    return 3 * (2 * weights + products)


def _arguments(sizes: list[str], further: tuple[str, ...], layout: dict[str, int]) -> tuple[str, ...]:
    return (*_layout(layout), *_OPTIMIZER, *_PRECISION, *_DECODER, *_LATENT, *_EXPERTS, *sizes, *further)


def _layout(layout: dict[str, int]) -> list[str]:
    given = _LAYOUT | {"--" + name.replace("_", "-"): str(size) for name, size in layout.items()}
    return [word for pair in given.items() for word in pair]
