"""Writes the tiny example's model with attention as wide as GLM-4.7-Flash's, for SGLang's kernels.

SGLang's kernels want latents, heads and rotary parts whose bytes are multiples of 64; the tiny model's are not. Every added
number is 0, so the model computes what it computed (up to the rounding of bfloat16), and zeros beside zeros get no gradient.

    python3 widen.py ../tiny/model model
"""

import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import load_file, save_file

WIDE = {"q_lora_rank": 768, "kv_lora_rank": 512, "qk_nope_head_dim": 192, "qk_rope_head_dim": 64, "v_head_dim": 256}


class Widening:
    def __init__(self, config):
        self.heads = config["num_attention_heads"]
        self.q, self.kv, self.nope, self.rope, self.v = (config[name] for name in WIDE)
        self.wide_q, self.wide_kv, self.wide_nope, self.wide_rope, self.wide_v = WIDE.values()
        # Pair i of d rotates by theta^(-2i/d): in a wider part the same angle is pair i * wide/d.
        stride = self.wide_rope // self.rope
        self.rotary = torch.tensor([2 * pair * stride + half for pair in range(self.rope // 2) for half in (0, 1)])

    def norm(self, weight, width):
        """The mean of squares is over more numbers, of which the added ones are 0."""
        wide = torch.ones(width)
        wide[: len(weight)] = weight * (len(weight) / width) ** 0.5
        return wide

    def heads_of(self, weight, first, wide_first, rest_at, wide_head, wide_columns):
        narrow = weight.view(self.heads, -1, weight.shape[1])
        wide = torch.zeros(self.heads, wide_head, wide_columns)
        wide[:, :first, : weight.shape[1]] = narrow[:, :first]
        wide[:, wide_first + rest_at, : weight.shape[1]] = narrow[:, first:]
        return wide.view(-1, wide_columns)

    def tensor(self, name, weight):
        w = weight.float()
        match name.split(".")[-2]:
            case "q_a_proj":
                return torch.cat([w, torch.zeros(self.wide_q - self.q, w.shape[1])])
            case "q_a_layernorm":
                return self.norm(w, self.wide_q)
            case "kv_a_layernorm":
                return self.norm(w, self.wide_kv)
            case "q_b_proj":  # scores are divided by the root of a head's width
                w = w * ((self.wide_nope + self.wide_rope) / (self.nope + self.rope)) ** 0.5
                wide_head = self.wide_nope + self.wide_rope
                return self.heads_of(w, self.nope, self.wide_nope, self.rotary, wide_head, self.wide_q)
            case "kv_b_proj":
                wide_head = self.wide_nope + self.wide_v
                return self.heads_of(w, self.nope, self.wide_nope, torch.arange(self.v), wide_head, self.wide_kv)
            case "kv_a_proj_with_mqa":
                wide = torch.zeros(self.wide_kv + self.wide_rope, w.shape[1])
                wide[: self.kv] = w[: self.kv]
                wide[self.wide_kv + self.rotary] = w[self.kv :]
                return wide
            case "o_proj":
                wide = torch.zeros(w.shape[0], self.heads, self.wide_v)
                wide[:, :, : self.v] = w.view(w.shape[0], self.heads, self.v)
                return wide.view(w.shape[0], -1)
        return None


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = map(pathlib.Path, sys.argv[1:])
    config = json.loads((source / "config.json").read_text())
    widening = Widening(config)
    tensors = {}
    for name, weight in load_file(source / "model.safetensors").items():
        wide = widening.tensor(name, weight)
        tensors[name] = weight if wide is None else wide.to(weight.dtype).contiguous()
    target.mkdir(parents=True, exist_ok=True)
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    (target / "config.json").write_text(json.dumps(config | WIDE, indent=2))
    for name in ("generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source / name, target)


if __name__ == "__main__":
    main()
