package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.Indexer;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.domain.model.ModelSpec.RopeScaling;

/**
 * Megatron's flags for a model's shape, derived from its sizes alone.
 *
 * @see <a href="https://github.com/THUDM/slime/tree/main/scripts/models">slime's lists by hand, with which these agree</a>
 */
final class ModelArguments {
    /** Rows that tensor-parallel shares of the vocabulary are padded to, widest first. */
    private static final int[] VOCABULARY_MULTIPLES = {64, 32, 16};

    private final ModelSpec model;
    private final FlagWriter list;

    private ModelArguments(ModelSpec model, FlagWriter list) {
        this.model = model;
        this.list = list;
    }

    static void write(Candidate candidate, FlagWriter list) {
        ModelArguments arguments = new ModelArguments(candidate.model(), list);
        arguments.decoder(candidate.training().layout().tp());
        switch (candidate.model().attention()) {
            case GroupedQueryAttention grouped -> arguments.grouped(grouped);
            case LatentAttention latent -> arguments.latent(latent);
        }
        arguments.positions();
        LinearAttention linear = candidate.model().linearAttention();
        Indexer indexer = candidate.model().indexer();
        if (linear != null) {
            arguments.linear(linear);
        } else if (indexer != null) {
            arguments.sparse(indexer);
        }
        arguments.experts();
    }

    private void decoder(int tp) {
        list.value("--num-layers", model.layers());
        list.value("--hidden-size", model.hiddenSize());
        Experts experts = model.experts();
        list.value("--ffn-hidden-size", model.denseSize() == 0 && experts != null ? experts.size() : model.denseSize());
        list.value("--num-attention-heads", model.attention().heads());
        list.value("--vocab-size", model.vocabularySize());
        list.value("--make-vocab-size-divisible-by", vocabularyMultiple(tp));
        list.value("--max-position-embeddings", model.maxContextTokens());
        list.value("--normalization", "RMSNorm");
        list.value("--norm-epsilon", model.normEpsilon());
        // The families with delta-net layers store their norms' weights less one.
        list.flag("--apply-layernorm-1p", model.linearAttention() != null);
        list.flag("--swiglu");
        list.flag("--disable-bias-linear");
        list.flag("--untie-embeddings-and-output-weights", !model.tiedEmbeddings());
    }

    /** Wide where that pads nothing: a padded row costs memory on every rank and has no counterpart in the checkpoint. */
    private int vocabularyMultiple(int tp) {
        for (int multiple : VOCABULARY_MULTIPLES) {
            if (model.vocabularySize() % (multiple * tp) == 0) {
                return multiple;
            }
        }
        return VOCABULARY_MULTIPLES[0];
    }

    private void grouped(GroupedQueryAttention attention) {
        list.flag("--group-query-attention");
        list.value("--num-query-groups", attention.groups());
        list.value("--kv-channels", attention.headSize());
        list.flag("--add-qkv-bias", attention.queryKeyValueBias());
        list.flag("--qk-layernorm", attention.norm() != QueryKeyNorm.NONE);
        list.flag("--attention-output-gate", attention.outputGate());
    }

    private void latent(LatentAttention attention) {
        list.flag("--multi-latent-attention");
        list.positive("--q-lora-rank", attention.queryRank());
        list.value("--kv-lora-rank", attention.latentRank());
        list.value("--qk-head-dim", attention.plainHeadSize());
        list.value("--qk-pos-emb-head-dim", attention.rotaryHeadSize());
        list.value("--v-head-dim", attention.valueHeadSize());
        // Without it Megatron divides the hidden size by the heads, and stops where that leaves a rest (2048 / 20).
        list.value("--kv-channels", attention.plainHeadSize());
        list.flag("--qk-layernorm");
    }

    private void positions() {
        RopeScaling scaling = model.rotary().scaling();
        boolean yarn = scaling != null && scaling.type().equals("yarn");
        list.value("--position-embedding-type", yarn && !model.latent() ? "yarn" : "rope");
        if (model.latent()) {
            // MLA turns frequencies by YaRN unless told otherwise.
            list.value("--rope-type", yarn ? "yarn" : "rope");
        }
        list.value("--rotary-base", model.ropeTheta());
        if (model.rotary().fraction() != 1) {
            list.value("--rotary-percent", model.rotary().fraction());
        }
        list.flag("--rotary-interleaved", model.rotary().interleaved());
        // Megatron's fused kernel knows neither MLA without YaRN nor pairs of neighbours.
        list.flag("--no-rope-fusion", model.latent() || model.rotary().interleaved());
        if (scaling != null) {
            scaled(scaling);
        }
    }

    /** Other kinds are told as gaps. */
    private void scaled(RopeScaling scaling) {
        switch (scaling.type()) {
            case "linear" -> list.value("--rotary-seq-len-interpolation-factor", scaling.factor());
            case "llama3" -> list.flag("--use-rope-scaling").value("--rope-scaling-factor", scaling.factor());
            case "yarn" -> {
                list.value("--rotary-scaling-factor", scaling.factor());
                list.value("--mscale", scaling.mscale());
                list.value("--mscale-all-dim", scaling.mscaleAllDim());
                if (!model.latent()) {
                    list.value("--yarn-original-max-position-embeddings", scaling.originalContextTokens());
                }
            }
            default -> {}
        }
    }

    private void linear(LinearAttention linear) {
        list.value("--experimental-attention-variant", "gated_delta_net");
        list.value("--linear-attention-freq", linear.interval());
        list.value("--linear-conv-kernel-dim", linear.convolutionWidth());
        list.value("--linear-num-key-heads", linear.keyHeads());
        list.value("--linear-key-head-dim", linear.keyHeadSize());
        list.value("--linear-num-value-heads", linear.valueHeads());
        list.value("--linear-value-head-dim", linear.valueHeadSize());
    }

    private void sparse(Indexer indexer) {
        list.value("--experimental-attention-variant", "dsa");
        list.value("--dsa-indexer-n-heads", indexer.heads());
        list.value("--dsa-indexer-head-dim", indexer.headSize());
        list.value("--dsa-indexer-topk", indexer.topTokens());
        // The indexer stays as it is: its own loss is for pre-training.
        list.value("--dsa-indexer-loss-coeff", 0);
    }

    private void experts() {
        Experts experts = model.experts();
        if (experts == null) {
            return;
        }
        list.value("--num-experts", experts.count());
        list.value("--moe-layer-freq", layerPattern(experts.denseLayers(), model.sparseLayers()));
        list.value("--moe-ffn-hidden-size", experts.size());
        list.value("--moe-router-topk", experts.perToken());
        list.positive("--moe-shared-expert-intermediate-size", experts.sharedSize());
        list.flag("--moe-shared-expert-gate", experts.sharedGated());
        list.value("--moe-router-score-function", experts.sigmoid() ? "sigmoid" : "softmax");
        if (experts.sigmoid()) {
            list.flag("--moe-router-pre-softmax");
            list.value("--moe-router-load-balancing-type", "seq_aux_loss");
        }
        if (experts.expertBias()) {
            list.flag("--moe-router-enable-expert-bias");
            // The bias belongs to the checkpoint; engines would not hear of a changed one.
            list.value("--moe-router-bias-update-rate", 0);
        }
        list.value("--moe-aux-loss-coeff", 0);
        if (experts.groups() > 1) {
            list.value("--moe-router-num-groups", experts.groups());
            list.value("--moe-router-group-topk", experts.groupsPerToken());
        }
        if (experts.scale() != 1) {
            list.value("--moe-router-topk-scaling-factor", experts.scale());
        }
        list.value("--moe-router-dtype", "fp32");
        list.flag("--moe-grouped-gemm");
        list.flag("--moe-permute-fusion");
    }

    /** Always a list, so that checkpoints name each layer. */
    private static String layerPattern(int dense, int sparse) {
        return dense == 0 ? "[1]*" + sparse : "[0]*%d+[1]*%d".formatted(dense, sparse);
    }
}
