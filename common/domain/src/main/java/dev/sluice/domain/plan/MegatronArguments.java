package dev.sluice.domain.plan;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Megatron's own arguments for a model and its layout, derived from config.json.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/scripts/models/glm4.7-30B-A3B.sh">slime's list for
 *     GLM-4.7-Flash, whose shape arguments these are; {@code --add-qkv-bias} is left out, since MLA has no bias</a>
 */
final class MegatronArguments {
    private final List<String> args = new ArrayList<>();

    private MegatronArguments() {}

    static List<String> of(ModelSpec model, TrainingLayout layout, TrainingRequest request) {
        MegatronArguments list = new MegatronArguments();
        list.layout(layout);
        list.decoder(model);
        list.attention(CpuPlanner.latent(model), model.ropeTheta());
        list.experts(model, Objects.requireNonNull(model.experts(), "the cpu backend's family has experts"));
        list.optimizer(request.training());
        if (model.mtpLayers() > 0 && request.training().mtp().train()) {
            list.add("--mtp-num-layers", model.mtpLayers());
            list.add("--mtp-loss-scaling-factor", request.training().mtp().lossScale());
        }
        return List.copyOf(list.args);
    }

    private void layout(TrainingLayout layout) {
        add("--tensor-model-parallel-size", layout.tp());
        add("--pipeline-model-parallel-size", layout.pp());
        add("--context-parallel-size", layout.cp());
        add("--expert-model-parallel-size", layout.ep());
        add("--expert-tensor-parallel-size", layout.etp());
    }

    private void decoder(ModelSpec model) {
        add("--num-layers", model.layers());
        add("--hidden-size", model.hiddenSize());
        add("--ffn-hidden-size", model.denseSize());
        add("--vocab-size", model.vocabularySize());
        add("--make-vocab-size-divisible-by", 64);
        add("--max-position-embeddings", model.maxContextTokens());
        add("--norm-epsilon", model.normEpsilon());
        add("--normalization", "RMSNorm");
        add("--position-embedding-type", "rope");
        flag("--no-position-embedding");
        flag("--disable-bias-linear");
        flag("--swiglu");
        flag("--untie-embeddings-and-output-weights");
        add("--attention-dropout", 0.0);
        add("--hidden-dropout", 0.0);
    }

    private void attention(LatentAttention attention, double ropeTheta) {
        add("--num-attention-heads", attention.heads());
        flag("--multi-latent-attention");
        add("--q-lora-rank", attention.queryRank());
        add("--kv-lora-rank", attention.latentRank());
        add("--qk-head-dim", attention.plainHeadSize());
        add("--qk-pos-emb-head-dim", attention.rotaryHeadSize());
        add("--v-head-dim", attention.valueHeadSize());
        add("--kv-channels", attention.plainHeadSize());
        flag("--qk-layernorm");
        add("--rotary-base", (long) ropeTheta);
        flag("--no-rope-fusion");
    }

    private void experts(ModelSpec model, Experts experts) {
        add("--moe-layer-freq", "[0]*%d+[1]*%d".formatted(experts.denseLayers(), model.sparseLayers()));
        add("--num-experts", experts.count());
        add("--moe-router-topk", experts.perToken());
        add("--moe-ffn-hidden-size", experts.size());
        add("--moe-shared-expert-intermediate-size", experts.sharedSize());
        add("--moe-router-score-function", "sigmoid");
        flag("--moe-router-pre-softmax");
        flag("--moe-router-enable-expert-bias");
        add("--moe-router-bias-update-rate", 0);
        add("--moe-router-load-balancing-type", "seq_aux_loss");
        add("--moe-aux-loss-coeff", 0);
        add("--moe-router-topk-scaling-factor", experts.scale());
        add("--moe-router-dtype", "fp32");
        flag("--moe-grouped-gemm");
    }

    private void optimizer(TrainingRequest.Training training) {
        add("--optimizer", "adam");
        add("--lr", training.learningRate());
        add("--lr-decay-style", "constant");
        add("--weight-decay", training.weightDecay());
        add("--adam-beta1", training.beta1());
        add("--adam-beta2", training.beta2());
        add("--adam-eps", training.epsilon());
        add("--clip-grad", training.maxGradNorm());
    }

    private void flag(String name) {
        args.add(name);
    }

    private void add(String name, Object value) {
        args.add(name);
        args.add(value.toString());
    }
}
