"""A llama of random weights in three forms that agree: Megatron's arguments and checkpoint, Hugging Face's config.json, and
the table of tensors between them, as `sluice inspect MODEL --tensors` writes it for one.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEAD = 64


def make_checkpoint(folder: Path, args: tuple[str, ...], device: str, environment: dict[str, str]) -> Path:
    """Writes FOLDER/weights, from which a worker loads."""
    order = folder / "order.json"
    checkpoint = folder / "weights"
    order.write_text(json.dumps({"args": args, "device": device, "out": str(folder), "weights": str(checkpoint)}))
    command = [sys.executable, "-W", "ignore", str(HERE / "one_layout.py"), str(order)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"no checkpoint was made: {done.stderr[-2000:]}")
    return checkpoint


def write_config(folder: Path, layers: int, width: int, vocabulary: int, length: int):
    """Writes FOLDER/config.json."""
    config = {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "head_dim": HEAD,
        "hidden_act": "silu",
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "max_position_embeddings": length,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": width // HEAD,
        "num_hidden_layers": layers,
        "num_key_value_heads": width // HEAD,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "vocab_size": vocabulary,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def write_table(file: Path, layers: int, width: int, vocabulary: int):
    """Megatron fuses each head's query, key and value, and gate and up."""
    tensors = [
        _entry("model.embed_tokens.weight", [vocabulary, width], "embedding.word_embeddings.weight"),
        _entry("model.norm.weight", [width], "decoder.final_layernorm.weight"),
        _entry("lm_head.weight", [vocabulary, width], "output_layer.weight"),
    ]
    for layer in range(layers):
        name, key = f"model.layers.{layer}.", "decoder.layers."
        square, up = [width, width], [4 * width, width]
        norm, fused = f"{key}self_attention.linear_qkv.layer_norm_weight", f"{key}self_attention.linear_qkv.weight"
        feed = f"{key}mlp.linear_fc1"
        tensors.append(_entry(f"{name}input_layernorm.weight", [width], norm, layer))
        for at, part in enumerate(("q", "k", "v")):
            rows = [(HEAD * (3 * head + at), HEAD * head, HEAD) for head in range(width // HEAD)]
            tensors.append(_entry(f"{name}self_attn.{part}_proj.weight", square, fused, layer, rows))
        tensors += [
            _entry(f"{name}self_attn.o_proj.weight", square, f"{key}self_attention.linear_proj.weight", layer),
            _entry(f"{name}post_attention_layernorm.weight", [width], f"{feed}.layer_norm_weight", layer),
            _entry(f"{name}mlp.gate_proj.weight", up, f"{feed}.weight", layer, [(0, 0, 4 * width)]),
            _entry(f"{name}mlp.up_proj.weight", up, f"{feed}.weight", layer, [(4 * width, 0, 4 * width)]),
            _entry(f"{name}mlp.down_proj.weight", up[::-1], f"{key}mlp.linear_fc2.weight", layer),
        ]
    file.write_text(json.dumps({"formatVersion": 1, "modelType": "llama", "tensors": tensors, "copies": {}}))


def _entry(name: str, shape: list[int], key: str, layer: int | None = None, rows: list | None = None) -> dict:
    """``rows``: (first in the key, first in the tensor, how many) of each box; None for all of it."""
    boxes = []
    for key_row, row, count in rows or [(0, 0, shape[0])]:
        size = [count, *shape[1:]]
        rest = [0] * (len(shape) - 1)
        layers = [] if layer is None else [layer]
        boxes.append(
            {
                "key": key,
                "keyOffsets": [*layers, key_row, *rest],
                "keySizes": [*(1 for _ in layers), *size],
                "offsets": [row, *rest],
                "sizes": size,
            }
        )
    return {"name": name, "shape": shape, "float32": False, "boxes": boxes}
