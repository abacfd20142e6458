package dev.sluice.cli.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.domain.training.AdvantageEstimator;
import dev.sluice.events.Algorithm;
import dev.sluice.events.EventJson;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A run's request with other values of what a replay can change: what the loss and the optimizer make of the same samples. */
public final class ChangedRequest {
    private static final List<String> FIXED = List.of("training.steps", "training.layout", "training.megatron");

    private ChangedRequest() {}

    /**
     * @param settings {@code key=value}
     * @return absent where nothing is changed
     * @throws CommandFailure naming every setting that a replay cannot change, or that no request may have
     */
    public static @Nullable TrainingRequest of(TrainingRequest recorded, List<String> settings) {
        if (settings.isEmpty()) {
            return null;
        }
        List<String> others = settings.stream().filter(ChangedRequest::isFixed).toList();
        if (!others.isEmpty()) {
            throw CommandFailure.usage(
                    "a replay trains on the samples of the log, with the worker's layout: %s cannot be changed; keys of algorithm and of the optimizer in training can"
                            .formatted(String.join(", ", others)));
        }
        ObjectNode document = EventJson.mapper().valueToTree(recorded);
        RequestFile.change(document, settings);
        return switch (RequestReader.read(document)) {
            case Reading.Complete complete -> checked(recorded, complete.request());
            case Reading.Refused refused ->
                throw CommandFailure.usage(
                        refused.problems().stream().map(ChangedRequest::line).collect(Collectors.joining("\n")));
        };
    }

    private static boolean isFixed(String setting) {
        return !setting.startsWith("algorithm.") && !setting.startsWith("training.")
                || FIXED.stream().anyMatch(setting::startsWith);
    }

    private static TrainingRequest checked(TrainingRequest recorded, TrainingRequest request) {
        List<String> problems = new ArrayList<>();
        String algorithm = request.algorithm().name();
        if (AdvantageEstimator.named(algorithm).isEmpty()) {
            problems.add("algorithm.name: %s is none of %s"
                    .formatted(algorithm, String.join(", ", AdvantageEstimator.wireNames())));
        }
        int groups = request.rollout().groupsPerStep();
        int miniBatches = request.training().optimizerStepsPerStep();
        if (groups % miniBatches != 0) {
            problems.add("training.optimizerStepsPerStep: %d groups do not divide into %d mini-batches"
                    .formatted(groups, miniBatches));
        }
        problems.addAll(otherModels(recorded.algorithm(), request.algorithm()));
        if (!problems.isEmpty()) {
            throw CommandFailure.usage(String.join("\n", problems));
        }
        return request;
    }

    /** A replay's worker loads the models that the run's had, and no other. */
    private static List<String> otherModels(Algorithm before, Algorithm now) {
        List<String> problems = new ArrayList<>();
        String critic = AdvantageEstimator.PPO.wireName();
        if (now.name().equals(critic) && !before.name().equals(critic)) {
            problems.add("algorithm.name: %s needs a critic, which the run had none of".formatted(critic));
        }
        if (now.usesReference() && !(before.usesReference() && Objects.equals(before.reference(), now.reference()))) {
            problems.add(
                    "algorithm: a divergence needs its reference, which the run's worker had not loaded; leave algorithm.klLossCoefficient, klRewardCoefficient and reference as they were");
        }
        String teacher = now.distillation().loadedTeacher();
        if (teacher != null && !teacher.equals(before.distillation().loadedTeacher())) {
            problems.add(
                    "algorithm.distillation.teacher: %s was not loaded in the run; a teacher on a server can be another"
                            .formatted(teacher));
        }
        return problems;
    }

    private static String line(Problem problem) {
        return "%s: %s; %s".formatted(problem.path(), problem.message(), problem.mend());
    }
}
