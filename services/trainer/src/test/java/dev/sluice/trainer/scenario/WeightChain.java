package dev.sluice.trainer.scenario;

import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.testkit.EventLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the weights of {@link ChainWorkerMain} must be, by the log alone: independent of the trainer. */
final class WeightChain {
    /** The advantage of every token of a sample, in a group of two whose rewards are 0 and 1. */
    interface Advantage {
        /** Less the group's mean, by the sample deviation, the root of a half, plus 1e-6. */
        Advantage GRPO = (weights, sample) -> (sample.index() == 0 ? -0.5 : 0.5) / (Math.sqrt(0.5) + 1e-6);

        /**
         * With gamma and lambda 1 the reward less the token's value, which the worker gives by its weights of before the step.
         */
        Advantage PPO = (weights, sample) -> (double) sample.index() - ChainWorkerMain.value(weights);

        double of(String weights, Sample sample);
    }

    private WeightChain() {}

    /** After all steps that the log has formed. */
    static String byTheLog(EventLog log, String runId, Advantage advantage) {
        Map<String, GroupSampled> results = log.recordsOf(runId).stream()
                .filter(record -> record.event() instanceof GroupSampled)
                .collect(Collectors.toMap(record -> record.id().toString(), record -> (GroupSampled) record.event()));
        String weights = "source";
        for (BatchFormed formed : log.events(runId, BatchFormed.class)) {
            List<Integer> tokens = new ArrayList<>();
            List<Float> advantages = new ArrayList<>();
            for (GroupUse use : formed.groups()) {
                GroupSampled result = results.get(use.resultId());
                for (Sample sample : result.samples()) {
                    IntStream.of(result.promptTokens().toArray()).forEach(tokens::add);
                    IntStream.of(sample.tokens().toArray()).forEach(tokens::add);
                    advantages.addAll(Collections.nCopies(result.promptTokens().length(), 0f));
                    for (VersionSpan span : sample.versions()) {
                        boolean trained = span.version() >= use.trainedFrom();
                        float value = trained ? (float) advantage.of(weights, sample) : 0f;
                        advantages.addAll(Collections.nCopies(span.tokens(), value));
                    }
                }
            }
            weights = formed.groups().isEmpty()
                    ? weights
                    : ChainWorkerMain.chain(weights, tokens.toString() + advantages.toString());
        }
        return weights;
    }

    static String in(CheckpointSaved cut) throws IOException {
        return Files.readAllLines(Path.of(cut.directory(), "weights.txt")).get(1);
    }
}
