package dev.sluice.domain.request;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.domain.training.AdvantageEstimator;
import dev.sluice.events.Backend;
import dev.sluice.events.Rollout.SpeculationAlgorithm;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rules about how responses are sampled and held-out sets measured. */
final class SamplingRules {
    /** Text of natural languages has about four bytes a token; fewer tokens than this are not to be expected. */
    private static final int BYTES_PER_TOKEN = 4;

    static final List<RequestRule> ALL = List.of(
            new RequestRule("rollout.group-size", "a group has something to compare", SamplingRules::groupSize),
            new RequestRule("rollout.greedy", "training samples are drawn, not chosen", SamplingRules::greedy),
            new RequestRule("rollout.context", "prompt and response fit the model", SamplingRules::context),
            new RequestRule("rollout.speculation", "EAGLE drafts with an MTP layer", SamplingRules::speculation),
            new RequestRule("rollout.redundant-experts", "expert slots exist on GPUs", SamplingRules::redundantExperts),
            new RequestRule("evaluation.names", "held-out sets are told apart", SamplingRules::evaluationNames));

    private SamplingRules() {}

    private static void groupSize(TrainingRequest request, Facts facts, Findings findings) {
        if (RunKind.of(request) != RunKind.REINFORCEMENT) {
            return;
        }
        int samples = request.rollout().samplesPerPrompt();
        String name = request.algorithm().name();
        boolean compares = AdvantageEstimator.named(name)
                .map(AdvantageEstimator::comparesGroups)
                .orElse(true);
        if (samples < 2 && compares) {
            findings.error(
                    "rollout.samplesPerPrompt",
                    "a group of %d has no advantage: %s compares the samples of one prompt".formatted(samples, name),
                    "set it to 2 or more; 8 is usual");
        }
    }

    private static void greedy(TrainingRequest request, Facts facts, Findings findings) {
        if (RunKind.of(request) == RunKind.REINFORCEMENT && request.rollout().temperature() == 0) {
            findings.error(
                    "rollout.temperature",
                    "at temperature 0 all samples of a group are the same and logits cannot be divided by it",
                    "set it above 0; 1.0 samples the policy itself");
        }
    }

    private static void context(TrainingRequest request, Facts facts, Findings findings) {
        ModelSpec model = facts.model().spec();
        if (model == null || RunKind.of(request) == RunKind.SUPERVISED) {
            return; // a lesson's length is looked at with the model's own tokenizer
        }
        var data = facts.promptFiles().get(request.data().prompts());
        contextOf(data, request.rollout().maxResponseTokens(), "rollout.maxResponseTokens", model, findings);
        for (int i = 0; i < request.evaluation().size(); i++) {
            var set = request.evaluation().get(i);
            var file = facts.promptFiles().get(set.prompts());
            contextOf(file, set.maxResponseTokens(), "evaluation[%d].maxResponseTokens".formatted(i), model, findings);
        }
    }

    private static void contextOf(
            Facts.@Nullable PromptFile file, int maxResponseTokens, String path, ModelSpec model, Findings findings) {
        long bytes = file == null ? 0 : file.summary().longestPromptBytes();
        long least = Math.max(1, Math.ceilDiv(bytes, BYTES_PER_TOKEN));
        int longest = model.maxContextTokens();
        if (least + maxResponseTokens > longest) {
            findings.error(
                    path,
                    "the longest prompt (%d bytes, about %d tokens) and %d response tokens exceed the model's %d"
                            .formatted(bytes, least, maxResponseTokens, longest),
                    longest > least
                            ? "set it to %d or less".formatted(longest - least)
                            : "leave out prompts longer than about %d bytes".formatted(longest * BYTES_PER_TOKEN));
        } else if (bytes + maxResponseTokens > longest) {
            findings.warning(
                    path,
                    "a prompt of %d bytes can have up to as many tokens; with %d response tokens that exceeds the model's %d"
                            .formatted(bytes, maxResponseTokens, longest),
                    "check the longest prompt with the model's tokenizer, or set it to %d or less"
                            .formatted(Math.max(1, longest - bytes)));
        }
    }

    private static void speculation(TrainingRequest request, Facts facts, Findings findings) {
        ModelSpec model = facts.model().spec();
        boolean eagle = request.rollout().speculation().algorithm() == SpeculationAlgorithm.EAGLE;
        if (eagle && model != null && model.mtpLayers() == 0) {
            findings.error(
                    "rollout.speculation.algorithm",
                    "EAGLE drafts with the model's MTP layer, but config.json says num_nextn_predict_layers 0",
                    "set it to none, or use a checkpoint with its MTP layer");
        }
    }

    private static void redundantExperts(TrainingRequest request, Facts facts, Findings findings) {
        int redundant = request.rollout().redundantExperts();
        if (request.backend() == Backend.CPU && redundant > 0) {
            findings.error(
                    "rollout.redundantExperts",
                    "%d extra expert slots spread experts over GPUs; a cpu engine holds all experts in one process"
                            .formatted(redundant),
                    "set it to 0");
        }
    }

    private static void evaluationNames(TrainingRequest request, Facts facts, Findings findings) {
        Set<String> names = new HashSet<>();
        for (int i = 0; i < request.evaluation().size(); i++) {
            String name = request.evaluation().get(i).name();
            String path = "evaluation[%d].name".formatted(i);
            if (!RunId.isValid(name)) {
                findings.error(
                        path, "%s stands in group ids and metric names".formatted(name), "match " + RunId.PATTERN);
            } else if (!names.add(name)) {
                findings.error(path, "two sets are called " + name, "give each set a name of its own");
            }
        }
    }
}
