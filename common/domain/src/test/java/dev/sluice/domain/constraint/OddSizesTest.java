package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

/** Whatever sizes are asked for, they are judged: nothing is divided by zero and a search agrees with a report. */
class OddSizesTest {
    private static final int[] SIZES = {-8, -1, 0, 1, 2, 3, 4, 5, 7, 8, 12, 16, 20, 24, 64, 1000};
    private static final List<ModelSpec> MODELS = List.of(
            EngineModels.GLM_47_FLASH,
            EngineModels.QWEN3_4B,
            EngineModels.QWEN3_30B,
            EngineModels.QWEN3_NEXT_80B,
            EngineModels.GLM_5);

    @RepeatedTest(40)
    void anySizesAreJudged(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        for (int i = 0; i < 500; i++) {
            Candidate candidate = candidate(random);

            List<Problem> broken = Constraints.broken(candidate);

            boolean error = broken.stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
            boolean training = Constraints.firstOfTraining(candidate).isPresent();
            boolean engine = Constraints.firstOfEngine(candidate).isPresent();
            // What a search asks of a side alone is never stricter than the whole.
            assertThat(error || !training && !engine)
                    .as("seed %d, candidate %d: %s", repetition.getCurrentRepetition(), i, candidate)
                    .isTrue();
        }
    }

    private static Candidate candidate(Random random) {
        Cluster cluster = new Cluster(
                Gpu.values()[random.nextInt(Gpu.values().length)],
                Math.max(1, size(random)),
                size(random),
                size(random),
                random.nextBoolean(),
                0,
                size(random),
                random.nextBoolean(),
                List.of("/shared"));
        Layout layout = new Layout(1, 1, 1, size(random), size(random), null, null);
        ModelSpec model = MODELS.get(random.nextInt(MODELS.size()));
        return EngineCandidates.candidate(model, cluster, layout, engine -> change(engine, random));
    }

    private static void change(EngineDraft engine, Random random) {
        engine.gpus = size(random);
        engine.pp = size(random);
        engine.dp = size(random);
        engine.dpAttention = random.nextBoolean();
        engine.ep = size(random);
        engine.redundant = size(random);
        engine.graph = size(random);
        engine.running = size(random);
        engine.chunk = size(random);
        engine.page = size(random);
        engine.denseTp = size(random);
        engine.a2a = random.nextBoolean() ? "deepep" : "none";
        engine.weightBytes = random.nextBoolean() ? 1.01 : 2;
        engine.speculation = new Speculation("EAGLE", size(random), size(random), size(random), null);
    }

    private static int size(Random random) {
        return SIZES[random.nextInt(SIZES.length)];
    }
}
