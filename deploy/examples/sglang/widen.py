"""Writes the tiny example's model wider, and deeper: as much as SGLang's kernels need, or as wide as a published model.

SGLang's kernels want latents, heads and rotary parts whose bytes are multiples of 64; the tiny model's are not. Every added
number that the model would see is 0, so it computes what it computed (up to the rounding of bfloat16).

    python3 widen.py ../tiny/model model                                      # GLM-4.7-Flash's attention, else as before
    python3 widen.py ../tiny/model model --like GLM-4.7-Flash/config.json --layers 12

With ``--like`` all sizes are those of that config, vocabulary and experts too, with ``--layers`` layers (its own number by
default; a layer of GLM-4.7-Flash takes 1.3 GB): a model of real size that needs no download, knows the example's task and
learns it as the tiny model does. Its tokens are those of the tiny model; the others are out of reach. Where a token gets twice
as many experts, each one of the tiny model's stands there twice; its layers choose no others. Further layers choose among all
experts at random, and what they add is 0 and has no gradient.
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file

ATTENTION = {
    "q_lora_rank": 768,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 192,
    "qk_rope_head_dim": 64,
    "v_head_dim": 256,
}
SIZES = (
    *ATTENTION,
    "hidden_size",
    "intermediate_size",
    "moe_intermediate_size",
    "n_routed_experts",
    "num_experts_per_tok",
    "num_attention_heads",
    "num_key_value_heads",
    "max_position_embeddings",
    "vocab_size",
)
# Of an expert's bias, beside scores of 0 to 1.
NOT_CHOSEN = -1e4
# Of an added token's logit for each unit of the constant. The tiny model's last states have a root mean square of 3 to 7 where the
# constant is 0.5: logits of -25 to -50.
OUT_OF_REACH = -325


class Widening:
    """Tensors of ``narrow`` as those of ``wide``, two configs; ``device`` makes what is random."""

    def __init__(self, narrow, wide, device):
        self.narrow, self.wide, self.device = narrow, wide, device
        self.heads, self.wide_heads = narrow["num_attention_heads"], wide["num_attention_heads"]
        self.q, self.kv, self.nope, self.rope, self.v = (narrow[name] for name in ATTENTION)
        self.wide_q, self.wide_kv, self.wide_nope, self.wide_rope, self.wide_v = (wide[name] for name in ATTENTION)
        self.hidden = wide["hidden_size"]
        # Pair i of d rotates by theta^(-2i/d): in a wider part the same angle is pair i * wide/d.
        stride = self.wide_rope // self.rope
        self.rotary = torch.tensor([2 * pair * stride + half for pair in range(self.rope // 2) for half in (0, 1)])
        self.copies = wide["num_experts_per_tok"] // narrow["num_experts_per_tok"]
        living = narrow["n_routed_experts"] * self.copies
        self.apart = wide["n_routed_experts"] // living
        if self.apart == 0 or self.copies * narrow["num_experts_per_tok"] != wide["num_experts_per_tok"]:
            raise SystemExit(
                f"{living} experts, {self.copies} of each, do not fit: see num_experts_per_tok, n_routed_experts"
            )
        small = [name for name in SIZES if wide[name] < narrow[name]]
        if small or self.wide_rope % self.rope:
            raise SystemExit(f"the model would become narrower: {', '.join(small) or 'qk_rope_head_dim'}")
        if wide["vocab_size"] > narrow["vocab_size"] and self.hidden == narrow["hidden_size"]:
            raise SystemExit("more tokens need a larger hidden_size")

    def experts_of(self, expert):
        """The numbers under which an expert of the narrow model stands, as far apart as they go."""
        return [(expert * self.copies + copy) * self.apart for copy in range(self.copies)]

    def norm(self, weight, width, last=1.0):
        """The mean of squares is over more numbers, of which the added ones are 0."""
        scale = (len(weight) / width) ** 0.5
        wide = torch.full((width,), last * scale)
        wide[: len(weight)] = weight * scale
        return wide

    def padded(self, weight, rows, columns):
        wide = torch.zeros(rows, columns)
        wide[: weight.shape[0], : weight.shape[1]] = weight
        return wide

    def heads_of(self, weight, first, wide_first, rest_at, wide_head, wide_columns):
        narrow = weight.view(self.heads, -1, weight.shape[1])
        wide = torch.zeros(self.wide_heads, wide_head, wide_columns)
        wide[: self.heads, :first, : weight.shape[1]] = narrow[:, :first]
        wide[: self.heads, wide_first + rest_at, : weight.shape[1]] = narrow[:, first:]
        return wide.view(-1, wide_columns)

    def words(self, weight, kind):
        """The last hidden number is a constant that no layer reads, only the logits of added tokens."""
        known = weight.shape[0]
        wide = self.padded(weight, self.wide["vocab_size"], self.hidden)
        if self.wide["vocab_size"] > known:
            if kind == "embed_tokens":
                wide[:, -1] = weight.square().mean().sqrt()
            else:
                wide[known:, -1] = OUT_OF_REACH
        return wide

    def tensor(self, name, weight):
        w = weight.float()
        kind = name.split(".")[-2]
        match kind:
            case "embed_tokens" | "lm_head" | "head":
                return self.words(w, kind)
            case "q_a_layernorm":
                return self.norm(w, self.wide_q)
            case "kv_a_layernorm":
                return self.norm(w, self.wide_kv)
            case "input_layernorm" | "post_attention_layernorm" | "hnorm":
                return self.norm(w, self.hidden, last=0.0)
            case "norm" | "enorm":
                return self.norm(w, self.hidden)
            case "q_a_proj":
                return self.padded(w, self.wide_q, self.hidden)
            case "q_b_proj":  # scores are divided by the root of a head's width
                w = w * ((self.wide_nope + self.wide_rope) / (self.nope + self.rope)) ** 0.5
                wide_head = self.wide_nope + self.wide_rope
                return self.heads_of(w, self.nope, self.wide_nope, self.rotary, wide_head, self.wide_q)
            case "kv_b_proj":
                wide_head = self.wide_nope + self.wide_v
                return self.heads_of(w, self.nope, self.wide_nope, torch.arange(self.v), wide_head, self.wide_kv)
            case "kv_a_proj_with_mqa":
                wide = torch.zeros(self.wide_kv + self.wide_rope, self.hidden)
                wide[: self.kv, : w.shape[1]] = w[: self.kv]
                wide[self.wide_kv + self.rotary, : w.shape[1]] = w[self.kv :]
                return wide
            case "o_proj":
                wide = torch.zeros(self.hidden, self.wide_heads, self.wide_v)
                wide[: w.shape[0], : self.heads, : self.v] = w.view(w.shape[0], self.heads, self.v)
                return wide.view(self.hidden, -1)
            case "gate_proj" | "up_proj":
                return self.padded(w, self.inner(name), self.hidden)
            case "down_proj":
                return self.padded(w, self.hidden, self.inner(name))
            case "eh_proj":  # of what two norms give, one beside the other
                half = w.shape[1] // 2
                left, right = (self.padded(part, self.hidden, self.hidden) for part in (w[:, :half], w[:, half:]))
                if self.hidden > w.shape[0]:
                    left[-1, -1] = 0.5  # the constant goes on
                return torch.cat([left, right], dim=1)
            case "gate" if name.endswith("bias"):
                wide = torch.full((self.wide["n_routed_experts"],), NOT_CHOSEN)
                for expert, bias in enumerate(w):
                    wide[self.experts_of(expert)] = bias
                return wide
            case "gate":
                wide = torch.zeros(self.wide["n_routed_experts"], self.hidden)
                for expert, row in enumerate(w):
                    wide[self.experts_of(expert), : len(row)] = row
                return wide
        raise SystemExit(f"{name} is not known here")

    def inner(self, name):
        """The inner width of the feed-forward layer that a tensor is of."""
        if ".experts." in name:
            return self.wide["moe_intermediate_size"]
        if "shared_experts" in name:
            return self.wide["moe_intermediate_size"] * self.wide["n_shared_experts"]
        return self.wide["intermediate_size"]

    def layer(self, tensors):
        """A layer of the narrow model, widened: with its copies of experts, and with those that nothing chooses."""
        made = {}
        for name, weight in tensors.items():
            wide = self.tensor(name, weight).to(weight.dtype).contiguous()
            before, found, after = name.partition(".experts.")
            if not found:
                made[name] = wide
                continue
            expert, _, rest = after.partition(".")
            for number in self.experts_of(int(expert)):
                made[f"{before}.experts.{number}.{rest}"] = wide.clone()
        routed = next((name.partition(".experts.")[0] for name in tensors if ".experts." in name), None)
        if routed:
            for number in range(self.wide["n_routed_experts"]):
                if f"{routed}.experts.{number}.up_proj.weight" not in made:
                    made |= self.idle_expert(f"{routed}.experts.{number}", self.wide["moe_intermediate_size"])
        return made

    def random(self, rows, columns):
        return (torch.randn(rows, columns, device=self.device) * 0.02).to("cpu", torch.bfloat16)

    def idle_expert(self, prefix, inner):
        return {
            f"{prefix}.gate_proj.weight": self.random(inner, self.hidden),
            f"{prefix}.up_proj.weight": torch.zeros(inner, self.hidden, dtype=torch.bfloat16),
            f"{prefix}.down_proj.weight": torch.zeros(self.hidden, inner, dtype=torch.bfloat16),
        }

    def idle_layer(self, number):
        """A layer with experts that adds 0 to what it gets."""
        prefix, experts = f"model.layers.{number}", self.wide["n_routed_experts"]
        attention, heads = f"{prefix}.self_attn", self.wide_heads
        scale = (self.narrow["hidden_size"] / self.hidden) ** 0.5
        norm = torch.full((self.hidden,), scale, dtype=torch.bfloat16)
        norm[-1] = 0
        keys_and_values = self.random(heads * (self.wide_nope + self.wide_v), self.wide_kv)
        keys_and_values.view(heads, -1, self.wide_kv)[:, self.wide_nope :] = 0
        made = {
            f"{prefix}.input_layernorm.weight": norm,
            f"{prefix}.post_attention_layernorm.weight": norm.clone(),
            f"{attention}.q_a_proj.weight": self.random(self.wide_q, self.hidden),
            f"{attention}.q_a_layernorm.weight": torch.ones(self.wide_q, dtype=torch.bfloat16),
            f"{attention}.q_b_proj.weight": self.random(heads * (self.wide_nope + self.wide_rope), self.wide_q),
            f"{attention}.kv_a_proj_with_mqa.weight": self.random(self.wide_kv + self.wide_rope, self.hidden),
            f"{attention}.kv_a_layernorm.weight": torch.ones(self.wide_kv, dtype=torch.bfloat16),
            f"{attention}.kv_b_proj.weight": keys_and_values,
            f"{attention}.o_proj.weight": torch.zeros(self.hidden, heads * self.wide_v, dtype=torch.bfloat16),
            f"{prefix}.mlp.gate.weight": self.random(experts, self.hidden),
            f"{prefix}.mlp.gate.e_score_correction_bias": torch.zeros(experts),
        }
        inner = self.wide["moe_intermediate_size"]
        made |= self.idle_expert(f"{prefix}.mlp.shared_experts", inner * self.wide["n_shared_experts"])
        for expert in range(experts):
            made |= self.idle_expert(f"{prefix}.mlp.experts.{expert}", inner)
        return made


def layers_of(source):
    """The tensors of each layer by its number, those of none under -1."""
    layers = {}
    for name, weight in source.items():
        number = int(name.split(".")[2]) if name.startswith("model.layers.") else -1
        layers.setdefault(number, {})[name] = weight
    return layers


def write(target, widening, source, depth):
    """A file a layer, and the index of all."""
    narrow_depth = widening.narrow["num_hidden_layers"]
    layers = layers_of(source)
    moved = {number if number < narrow_depth else number - narrow_depth + depth: number for number in layers}
    numbers = sorted({*moved, *range(depth)})
    index, size = {}, 0
    for place, number in enumerate(numbers, 1):
        if number in moved:
            told = {
                name.replace(f"layers.{moved[number]}.", f"layers.{number}.", 1): weight
                for name, weight in layers[moved[number]].items()
            }
            tensors = widening.layer(told)
        else:
            tensors = widening.idle_layer(number)
        file = f"model-{place:05}-of-{len(numbers):05}.safetensors"
        save_file(tensors, target / file, metadata={"format": "pt"})
        index |= dict.fromkeys(tensors, file)
        size += sum(tensor.nbytes for tensor in tensors.values())
        print(f"{place} of {len(numbers)} files, {size / 1e9:.2f} GB", flush=True)
    (target / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": size}, "weight_map": index}, indent=2)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--like", type=pathlib.Path, help="config.json of a model of the same architecture")
    parser.add_argument("--layers", type=int, help="without those for multi-token prediction")
    options = parser.parse_args()
    narrow = json.loads((options.source / "config.json").read_text())
    like = json.loads(options.like.read_text()) if options.like else narrow | ATTENTION
    if like["model_type"] != narrow["model_type"]:
        raise SystemExit(f"{options.like} is of {like['model_type']}, the model of {narrow['model_type']}")
    depth = options.layers or like["num_hidden_layers"]
    if depth < narrow["num_hidden_layers"]:
        raise SystemExit(f"--layers is {depth}; give {narrow['num_hidden_layers']} or more")
    wide = narrow | {name: like[name] for name in SIZES} | {"num_hidden_layers": depth}
    # What a norm adds to the mean of squares, which is over more numbers.
    wide["rms_norm_eps"] = narrow["rms_norm_eps"] * narrow["hidden_size"] / wide["hidden_size"]
    widening = Widening(narrow, wide, "cuda" if torch.cuda.is_available() else "cpu")
    options.target.mkdir(parents=True, exist_ok=True)
    write(options.target, widening, load_file(options.source / "model.safetensors"), depth)
    (options.target / "config.json").write_text(json.dumps(wide, indent=2))
    for name in ("generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(options.source / name, options.target)


if __name__ == "__main__":
    main()
