package dev.sluice.domain.request;

import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.domain.training.AdvantageEstimator;
import dev.sluice.events.Algorithm;
import dev.sluice.events.Algorithm.CorrectionType;
import dev.sluice.events.Algorithm.MismatchCorrection;
import dev.sluice.events.Algorithm.OldLogprobs;
import dev.sluice.events.Backend;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Layout;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Rules about the algorithm and the optimizer, and about what this version cannot do yet. */
final class TrainingRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule("algorithm.known", "the algorithm exists", TrainingRules::algorithm),
            new RequestRule("algorithm.coefficients", "coefficients fit the algorithm", TrainingRules::coefficients),
            new RequestRule("algorithm.mismatch", "a correction has a difference to correct", TrainingRules::mismatch),
            new RequestRule("algorithm.old-logprobs", "the ratio's denominator is exact", TrainingRules::oldLogprobs),
            new RequestRule("data.chat-template", "prompts become what the model reads", TrainingRules::chatTemplate),
            new RequestRule("training.mtp", "what is trained exists", TrainingRules::mtp),
            new RequestRule("training.mini-batches", "mini-batches are whole groups", TrainingRules::miniBatches),
            new RequestRule("training.layout", "the cpu worker is one process", TrainingRules::layout));

    private TrainingRules() {}

    private static void algorithm(TrainingRequest request, Facts facts, Findings findings) {
        String name = request.algorithm().name();
        if (AdvantageEstimator.named(name).isPresent()) {
            return;
        }
        if (SlimeNames.ALGORITHMS.contains(name)) {
            findings.hindrance(
                    "algorithm.name",
                    "algorithm %s is not computed yet".formatted(name),
                    "set it to one of " + String.join(", ", AdvantageEstimator.wireNames()));
        } else {
            findings.error(
                    "algorithm.name",
                    "no algorithm is called %s%s".formatted(name, Spelling.didYouMean(name, SlimeNames.ALGORITHMS)),
                    "set it to grpo");
        }
    }

    private static void coefficients(TrainingRequest request, Facts facts, Findings findings) {
        Algorithm algorithm = request.algorithm();
        AdvantageEstimator estimator =
                AdvantageEstimator.named(algorithm.name()).orElse(AdvantageEstimator.GRPO);
        if (algorithm.dualClip() != null && estimator == AdvantageEstimator.CISPO) {
            findings.error(
                    "algorithm.dualClip",
                    "cispo bounds the ratio itself and has no second clip",
                    "leave it out, and set algorithm.clipHigh");
        }
        if (Boolean.FALSE.equals(algorithm.whitenAdvantages()) && estimator.needsWhitening()) {
            findings.error(
                    "algorithm.whitenAdvantages",
                    "advantages of %s are those of single samples and need whitening".formatted(algorithm.name()),
                    "leave it out");
        }
        if (algorithm.gamma() != 1 && !estimator.discounts()) {
            findings.error(
                    "algorithm.gamma",
                    "%s gives every token of a response the same advantage: nothing is discounted by %s"
                            .formatted(algorithm.name(), algorithm.gamma()),
                    "leave it out, or set algorithm.name to reinforce_plus_plus");
        }
        if (!algorithm.normaliseRewards() && estimator == AdvantageEstimator.RLOO) {
            findings.error(
                    "algorithm.normaliseRewards",
                    "rloo is the comparison with the group's others; without it nothing is left of it",
                    "leave it out, or set algorithm.name to grpo");
        }
    }

    private static void mismatch(TrainingRequest request, Facts facts, Findings findings) {
        MismatchCorrection correction = request.algorithm().mismatchCorrection();
        if (correction.type() == CorrectionType.NONE) {
            return;
        }
        if (correction.low() >= correction.high()) {
            findings.error(
                    "algorithm.mismatchCorrection.high",
                    "no ratio lies between %s and %s".formatted(correction.low(), correction.high()),
                    "set it above low");
        }
        if (request.algorithm().oldLogprobs() == OldLogprobs.ROLLOUT) {
            findings.error(
                    "algorithm.oldLogprobs",
                    "rollout takes the engine's log-probabilities for the old policy's, mismatchCorrection corrects for"
                            + " their difference: there would be none",
                    "set it to auto, or algorithm.mismatchCorrection.type to none");
        }
    }

    private static void oldLogprobs(TrainingRequest request, Facts facts, Findings findings) {
        int optimizerSteps = request.training().optimizerStepsPerStep();
        if (request.algorithm().oldLogprobs() == OldLogprobs.CURRENT && optimizerSteps > 1) {
            findings.error(
                    "algorithm.oldLogprobs",
                    "current is exact for one optimizer step only; after the first of %d the policy has moved"
                            .formatted(optimizerSteps),
                    "set it to auto, or training.optimizerStepsPerStep to 1");
        }
    }

    private static void chatTemplate(TrainingRequest request, Facts facts, Findings findings) {
        boolean applied = request.data().applyChatTemplate();
        if (applied && !facts.model().chatTemplate()) {
            findings.error(
                    "data.applyChatTemplate",
                    "the model has no chat template: neither chat_template.jinja nor chat_template in tokenizer_config.json",
                    "copy it from the model's page, or set it to false and give prompts as the model is to read them");
        }
        long conversations = facts.promptFiles().values().stream()
                .mapToLong(file -> file.summary().conversations())
                .sum();
        if (!applied && conversations > 0) {
            findings.error(
                    "data.applyChatTemplate",
                    "%d prompts are lists of messages, which only a chat template makes a text of"
                            .formatted(conversations),
                    "set it to true, or give prompts as the model is to read them");
        }
        if (!applied && !request.data().chatTemplateArguments().isEmpty()) {
            findings.warning(
                    "data.chatTemplateArguments", "no chat template is applied that could read them", "leave them out");
        }
    }

    private static void mtp(TrainingRequest request, Facts facts, Findings findings) {
        ModelSpec model = facts.model().spec();
        if (request.training().mtp().train() && model != null && model.mtpLayers() == 0) {
            findings.error(
                    "training.mtp.train",
                    "the model has no MTP layer to train: config.json says num_nextn_predict_layers 0",
                    "set it to false, or use a checkpoint with its MTP layer");
        }
    }

    private static void miniBatches(TrainingRequest request, Facts facts, Findings findings) {
        int groups = request.rollout().groupsPerStep();
        int miniBatches = request.training().optimizerStepsPerStep();
        if (groups % miniBatches != 0) {
            findings.error(
                    "training.optimizerStepsPerStep",
                    "%d groups do not divide into %d mini-batches; %d would be left over"
                            .formatted(groups, miniBatches, groups % miniBatches),
                    "use a divisor of %d".formatted(groups));
        }
    }

    private static void layout(TrainingRequest request, Facts facts, Findings findings) {
        Layout layout = request.training().layout();
        boolean spread = Stream.of(layout.tp(), layout.pp(), layout.cp(), layout.ep(), layout.etp())
                .filter(Objects::nonNull)
                .anyMatch(size -> size > 1);
        if (request.backend() == Backend.CPU && spread) {
            findings.error(
                    "training.layout",
                    "the cpu worker is one process and cannot spread the model",
                    "set training.layout to auto");
        }
    }
}
