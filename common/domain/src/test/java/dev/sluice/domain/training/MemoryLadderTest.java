package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.request.Requests;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MemoryLadderTest {
    @Test
    void aWorkerOnGpusGetsFewerTokensThenComputesAllActivationsAgainThenGetsFewerStill() {
        MemoryLadder ladder = ladder(Backend.GPU, 8192, List.of("--recompute-granularity", "selective"));

        assertThat(rungs(ladder))
                .containsExactly(
                        new MemoryRung(1, 4096, false),
                        new MemoryRung(2, 4096, true),
                        new MemoryRung(3, 2048, true),
                        new MemoryRung(4, 1024, true));
    }

    @Test
    void whereAllActivationsAreComputedAgainAlreadyOnlyTokensAreLeft() {
        assertThat(rungs(ladder(Backend.GPU, 8192, List.of("--recompute-granularity", "full"))))
                .containsExactly(
                        new MemoryRung(1, 4096, false), new MemoryRung(2, 2048, false), new MemoryRung(3, 1024, false));
    }

    @Test
    void aWorkerWithoutGpusBeginsBelowWhatItTakesAtOnce() {
        assertThat(rungs(ladder(Backend.CPU, 0, List.of())))
                .extracting(MemoryRung::tokensPerGpu)
                .containsExactly(1024, 512, 256);
    }

    @Test
    void thePlansRecomputationIsReplacedNotRepeated() {
        assertThat(new MemoryRung(2, 4096, true)
                        .args(List.of("--lr", "1e-6", "--recompute-granularity", "selective", "--bf16")))
                .containsExactly(
                        "--lr",
                        "1e-6",
                        "--bf16",
                        "--recompute-granularity",
                        "full",
                        "--recompute-method",
                        "uniform",
                        "--recompute-num-layers",
                        "1");
    }

    private static List<MemoryRung> rungs(MemoryLadder ladder) {
        List<MemoryRung> rungs = new ArrayList<>();
        for (Optional<MemoryRung> rung = ladder.at(1);
                rung.isPresent();
                rung = ladder.at(rung.get().number() + 1)) {
            rungs.add(rung.get());
        }
        assertThat(rungs).hasSize(ladder.size());
        return rungs;
    }

    private static MemoryLadder ladder(Backend backend, int tokensPerGpu, List<String> args) {
        Plan plan = new Plan(
                backend,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 0, 64),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, 1),
                        args,
                        new Plan.Memory(0, 1),
                        false,
                        0,
                        tokensPerGpu,
                        List.of(),
                        Map.of()),
                new Plan.RolloutPlan(1, new Plan.EngineLayout(1, 1, 1, 0), List.of(), 1024, 8),
                null,
                List.of(),
                List.of());
        return MemoryLadder.of(Requests.complete(Requests.least()), plan);
    }
}
