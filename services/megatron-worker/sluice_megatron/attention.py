"""Modules that stand in for TransformerEngine's where it is not installed: packed attention, and a norm that sequence
parallelism can use. Both compute what TransformerEngine's do; neither has parameters of other names.
"""

import torch
import torch.nn.functional as F
from megatron.core.models.backends import LocalSpecProvider
from megatron.core.transformer.module import MegatronModule

from sluice_megatron.errors import WorkerError


class PackedAttention(MegatronModule):
    """Causal softmax attention over packed sequences (THD), by PyTorch's own kernels.

    Half-precision rows on a GPU go through FlashAttention in one call; everything else sequence by sequence through
    ``scaled_dot_product_attention``. Megatron-Core's DotProductAttention knows no packed sequences.
    """

    def __init__(self, config, layer_number, attn_mask_type, attention_type, softmax_scale=None, **other):
        super().__init__(config=config)
        if config.context_parallel_size > 1:
            raise WorkerError(
                "unsupported",
                f"context parallelism over {config.context_parallel_size} ranks needs TransformerEngine, which is not installed",
                "install transformer-engine, or set training.layout.cp to 1",
            )
        self.softmax_scale = softmax_scale  # absent: one over the root of the head's size, as in PyTorch
        self.layer_number = layer_number

    def forward(
        self, query, key, value, attention_mask, attn_mask_type=None, attention_bias=None, packed_seq_params=None
    ):
        """[T, heads, size] each, keys and values perhaps with fewer heads; -> [T, heads * value size]."""
        bounds = packed_seq_params.cu_seqlens_q
        if query.is_cuda and query.dtype in (torch.bfloat16, torch.float16) and query.shape[-1] <= 256:
            out = self._flash(query, key, value, bounds, packed_seq_params.max_seqlen_q)
        else:
            out = self._by_sequence(query, key, value, bounds.tolist())
        return out.reshape(out.shape[0], -1)

    def _flash(self, query, key, value, bounds, longest):
        from torch.nn.attention.varlen import varlen_attn

        heads = query.shape[1]
        if key.shape[1] != heads:
            key = key.repeat_interleave(heads // key.shape[1], dim=1)
            value = value.repeat_interleave(heads // value.shape[1], dim=1)
        size = value.shape[-1]
        if size != query.shape[-1]:
            value = F.pad(value, [0, query.shape[-1] - size])
        out = varlen_attn(
            query, key, value, bounds, bounds, longest, longest, scale=self.softmax_scale, window_size=(-1, 0)
        )
        return out[..., :size]

    def _by_sequence(self, query, key, value, bounds):
        outs = []
        for first, last in zip(bounds[:-1], bounds[1:], strict=True):
            rows = [part[first:last].transpose(0, 1).unsqueeze(0) for part in (query, key, value)]
            out = F.scaled_dot_product_attention(
                *rows, is_causal=True, scale=self.softmax_scale, enable_gqa=query.shape[1] != key.shape[1]
            )
            outs.append(out.squeeze(0).transpose(0, 1))
        return torch.cat(outs)


class RootMeanSquareNorm(torch.nn.Module):
    """RMSNorm whose weight says that sequence parallelism sums its gradient; PyTorch's does not."""

    def __init__(self, config, hidden_size, eps=1e-5, **other):
        super().__init__()
        if config.normalization != "RMSNorm":
            raise WorkerError(
                "unsupported",
                f"--normalization {config.normalization} needs TransformerEngine, which is not installed",
                "install transformer-engine",
            )
        self.eps = eps
        self.zero_centered = config.layernorm_zero_centered_gamma
        start = torch.zeros if self.zero_centered else torch.ones
        self.weight = torch.nn.Parameter(
            start(hidden_size, dtype=config.params_dtype, device=torch.cuda.current_device())
        )
        self.weight.sequence_parallel = config.sequence_parallel

    def forward(self, x):
        weight = self.weight + 1 if self.zero_centered else self.weight
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps)


class LocalModules(LocalSpecProvider):
    """Megatron-Core's own modules with those two in place of what needs TransformerEngine."""

    def layer_norm(self, rms_norm=False, for_qk=False, has_residual=False):
        return RootMeanSquareNorm

    def core_attention(self):
        return PackedAttention


def use_local_modules():
    """Makes Megatron-Core build its local layers of these modules."""
    from megatron.core.models.gpt import gpt_layer_specs
    from megatron.core.transformer import transformer_block

    gpt_layer_specs.LocalSpecProvider = LocalModules
    gpt_layer_specs.LNImpl = RootMeanSquareNorm
    # Of a block that is given one layer for all: dense models.
    transformer_block.LayerNormImpl = RootMeanSquareNorm
