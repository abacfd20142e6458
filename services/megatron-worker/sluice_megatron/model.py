"""Builds the run's model, its process groups and its optimizer with Megatron-Core."""

import dataclasses
import datetime
from argparse import Namespace
from dataclasses import dataclass

import torch
from megatron.core import parallel_state as mpu
from megatron.core import tensor_parallel
from megatron.core.distributed import finalize_model_grads
from megatron.core.models.gpt.gpt_model import GPTModel
from megatron.core.optimizer import get_megatron_optimizer
from megatron.core.process_groups_config import ProcessGroupCollection
from megatron.core.tensor_parallel import layers
from megatron.core.utils import get_model_config
from megatron.training.argument_utils import gpt_config_from_args
from megatron.training.models import gpt
from megatron.training.training import get_megatron_ddp_config, get_megatron_optimizer_config

from sluice_megatron.attention import use_local_modules

GROUP_TIMEOUT = datetime.timedelta(minutes=30)


class PolicyModel(GPTModel):
    """Megatron's GPT model whose last stage hands its hidden states to ``output_processor``.

    Megatron computes a loss of its own over the multi-token-prediction layers; here its token weights are the policy's, so
    the processor gets their hidden states too: one [S, B, H] for the decoder, then one for each such layer.
    """

    def _postprocess(
        self, hidden_states, input_ids, position_ids, *, output_processor=None, output_processor_context=None, **given
    ):
        if self.mtp_process:
            hidden_states = self.mtp(
                input_ids=input_ids,
                position_ids=position_ids,
                hidden_states=hidden_states,
                attention_mask=given["attention_mask"],
                inference_params=None,
                packed_seq_params=given["packed_seq_params"],
                rotary_pos_emb=given["rotary_pos_emb"],
                rotary_pos_cos=given["rotary_pos_cos"],
                rotary_pos_sin=given["rotary_pos_sin"],
                sequence_len_offset=given["sequence_len_offset"],
                padding_mask=given["padding_mask"],
                embedding=self.embedding,
                **(given["extra_block_kwargs"] or {}),
            )
        if not self.post_process:
            return hidden_states
        depths = 1 + (self.config.mtp_num_layers or 0 if self.mtp_process else 0)
        return output_processor(torch.chunk(hidden_states, depths, dim=0), self)

    def output_weight(self):
        """[vocabulary rows of this rank, H], also where it is the embedding's."""
        return (
            self.shared_embedding_or_output_weight()
            if self.share_embeddings_and_output_weights
            else self.output_layer.weight
        )


@dataclass(frozen=True)
class Built:
    """A model in training: its chunk wrapped for data parallelism, Megatron's optimizer and what they were built from."""

    chunk: torch.nn.Module
    optimizer: object
    args: Namespace

    @property
    def policy(self) -> PolicyModel:
        return unwrapped(self.chunk)


def unwrapped(chunk) -> PolicyModel:
    while not isinstance(chunk, PolicyModel):
        chunk = chunk.module
    return chunk


def initialize(args: Namespace):
    """Process groups and random numbers of this layout; the world's group must exist."""
    if mpu.model_parallel_is_initialized():
        mpu.destroy_model_parallel()
    mpu.initialize_model_parallel(
        tensor_model_parallel_size=args.tensor_model_parallel_size,
        pipeline_model_parallel_size=args.pipeline_model_parallel_size,
        context_parallel_size=args.context_parallel_size,
        expert_model_parallel_size=args.expert_model_parallel_size,
        expert_tensor_parallel_size=args.expert_tensor_parallel_size,
        create_gloo_process_groups=args.use_gloo_process_groups,
        order="tp-cp-ep-pp-dp" if args.use_tp_pp_dp_mapping else "tp-cp-ep-dp-pp",
    )
    torch.manual_seed(args.seed)
    tensor_parallel.model_parallel_cuda_manual_seed(args.seed)
    if args.deterministic_mode:
        torch.use_deterministic_algorithms(True)


def build(args: Namespace) -> Built:
    """A model with optimizer, its weights as Megatron initialises them until a checkpoint is loaded."""
    if args.transformer_impl == "local":
        use_local_modules()
    if args.gradient_accumulation_fusion:
        # Megatron's own linear layers ask for Apex then. The output layer is the only one beside TransformerEngine's, and
        # its product is scores.py's.
        layers._grad_accum_fusion_available = True
    gpt.GPTModel = PolicyModel
    # Micro-batches are packed to different lengths, and pipeline stages must be told.
    config = gpt_config_from_args(args)
    transformer = config.transformer
    transformer.variable_seq_lengths = True
    transformer.perform_initialization = False
    groups = ProcessGroupCollection.use_mpu_process_groups()
    ddp = dataclasses.replace(
        get_megatron_ddp_config(args),
        # A gradient that is not finite is an answer here, not the end of the process.
        check_for_nan_in_grad=False,
        check_for_large_grads=False,
    )
    half = {} if args.bf16 or args.fp16 else {"mixed_precision_wrapper": None}
    [chunk] = gpt.GPTModelBuilder(config).build_distributed_models(
        pg_collection=groups, ddp_config=ddp, data_parallel_random_init=False, **half
    )
    policy = unwrapped(chunk)
    if policy.mtp_process and policy.share_embeddings_and_output_weights:
        # What the layer gives the embedding comes beside what the output layer has put in the buffer; Megatron says so itself
        # where all is one pipeline stage.
        policy.output_weight().zero_out_wgrad = True
    optimizer_config, overrides = get_megatron_optimizer_config(args)
    optimizer = get_megatron_optimizer(
        optimizer_config, [chunk], config_overrides=overrides, use_gloo_process_groups=args.use_gloo_process_groups
    )
    model_config = get_model_config(chunk)
    model_config.no_sync_func = chunk.no_sync
    model_config.finalize_model_grads_func = finalize_model_grads
    model_config.grad_scale_func = optimizer.scale_loss
    return Built(chunk, optimizer, args)
