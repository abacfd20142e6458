package dev.sluice.domain.plan;

import dev.sluice.domain.plan.ModelShape.Attention;
import dev.sluice.domain.plan.ModelShape.FeedForward;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * Megatron's own arguments for a model and its layout, derived from config.json.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/scripts/models/glm4.7-30B-A3B.sh">slime's list for
 *     GLM-4.7-Flash, whose shape arguments these are; {@code --add-qkv-bias} is left out, since MLA has no bias</a>
 */
final class MegatronArguments {
    private final List<String> args = new ArrayList<>();

    private MegatronArguments() {}

    static List<String> of(ModelShape shape, TrainingLayout layout, TrainingRequest request) {
        MegatronArguments list = new MegatronArguments();
        list.layout(layout);
        list.decoder(shape);
        list.attention(shape.attention());
        list.experts(shape);
        list.optimizer(request.training());
        if (shape.mtpLayers() > 0 && request.training().mtp().train()) {
            list.add("--mtp-num-layers", shape.mtpLayers());
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

    private void decoder(ModelShape shape) {
        add("--num-layers", shape.layers());
        add("--hidden-size", shape.hiddenSize());
        add("--ffn-hidden-size", shape.feedForward().denseSize());
        add("--vocab-size", shape.vocabularySize());
        add("--make-vocab-size-divisible-by", 64);
        add("--max-position-embeddings", shape.maxContextTokens());
        add("--norm-epsilon", shape.normEpsilon());
        add("--normalization", "RMSNorm");
        add("--position-embedding-type", "rope");
        flag("--no-position-embedding");
        flag("--disable-bias-linear");
        flag("--swiglu");
        flag("--untie-embeddings-and-output-weights");
        add("--attention-dropout", 0.0);
        add("--hidden-dropout", 0.0);
    }

    private void attention(Attention attention) {
        add("--num-attention-heads", attention.heads());
        flag("--multi-latent-attention");
        add("--q-lora-rank", attention.queryRank());
        add("--kv-lora-rank", attention.latentRank());
        add("--qk-head-dim", attention.plainHeadSize());
        add("--qk-pos-emb-head-dim", attention.rotaryHeadSize());
        add("--v-head-dim", attention.valueHeadSize());
        add("--kv-channels", attention.plainHeadSize());
        flag("--qk-layernorm");
        add("--rotary-base", (long) attention.ropeTheta());
        flag("--no-rope-fusion");
    }

    private void experts(ModelShape shape) {
        FeedForward feedForward = shape.feedForward();
        add(
                "--moe-layer-freq",
                "[0]*%d+[1]*%d".formatted(feedForward.denseLayers(), shape.layers() - feedForward.denseLayers()));
        add("--num-experts", feedForward.experts());
        add("--moe-router-topk", feedForward.expertsPerToken());
        add("--moe-ffn-hidden-size", feedForward.expertSize());
        add("--moe-shared-expert-intermediate-size", feedForward.sharedExperts() * feedForward.expertSize());
        add("--moe-router-score-function", "sigmoid");
        flag("--moe-router-pre-softmax");
        flag("--moe-router-enable-expert-bias");
        add("--moe-router-bias-update-rate", 0);
        add("--moe-router-load-balancing-type", "seq_aux_loss");
        add("--moe-aux-loss-coeff", 0);
        add("--moe-router-topk-scaling-factor", feedForward.expertScale());
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
