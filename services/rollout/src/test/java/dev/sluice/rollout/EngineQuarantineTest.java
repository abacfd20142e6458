package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.EngineFellBack;
import dev.sluice.events.EngineEvent.EngineQuarantined;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.sglang.Speculation;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines that serve, but not what they should. */
class EngineQuarantineTest {
    private static final List<String> DRAFTING = List.of(
            "--mem-fraction-static",
            "0.7",
            "--speculative-algorithm",
            "EAGLE",
            "--speculative-num-steps",
            "2",
            "--enable-metrics");

    @TempDir
    Path folder;

    @Test
    void anEngineWhoseWeightsAreNotThoseOfTheOthersNeverTakesWork() {
        // Given
        FakeRun run = new FakeRun(folder, 3, List.of());
        run.engines.misfortune = engine -> engine.checksum = engine.number == 3 ? "odd" : "right";
        // When
        run.serve();
        // Then
        EngineQuarantined odd = run.log.of(EngineQuarantined.class).getFirst();
        assertThat(odd.engineId()).isEqualTo("engine-3");
        assertThat(odd.figures()).containsEntry("checksum", "odd").containsEntry("checksumOfTheOthers", "right");
        assertThat(run.log.of(EngineReady.class))
                .extracting(EngineReady::engineId)
                .containsExactly("engine-1", "engine-2");
        run.core.advance(Duration.ofSeconds(1));
        assertThat(run.log.of(EngineReady.class).getLast().engineId()).isEqualTo("engine-4");
    }

    @Test
    void anUpdateThatLeavesOneEngineWithOtherWeightsQuarantinesIt() throws Exception {
        // Given
        FakeRun run = new FakeRun(folder, 3, List.of());
        run.engines.misfortune = engine -> engine.checksum = "right";
        run.serve();
        // When
        run.engines.launched.getFirst().checksum = "odd";
        run.publish(1);
        // Then
        assertThat(run.log.of(EngineQuarantined.class))
                .extracting(EngineQuarantined::engineId, EngineQuarantined::weightVersion)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("engine-1", 1));
    }

    @Test
    void ofTwoThatDifferTheReplacementOfTheSecondDecides() {
        // Given
        FakeRun run = new FakeRun(folder, 2, List.of());
        run.engines.misfortune = engine -> engine.checksum = engine.number == 1 ? "odd" : "right";
        // When
        run.serve();
        run.core.advance(Duration.ofSeconds(2));
        // Then
        assertThat(run.log.of(EngineQuarantined.class))
                .extracting(EngineQuarantined::engineId)
                .containsExactly("engine-2", "engine-1");
        assertThat(run.log.of(EngineReady.class).getLast().engineId()).isEqualTo("engine-4");
    }

    @Test
    void anEngineWhoseDraftsAreAcceptedNoMoreIsReplaced() {
        // Given: figures of miles#1926, 2.71 tokens a verification before a weight update and 1.00 after it
        FakeRun run = new FakeRun(folder, 1, DRAFTING).serve();
        run.engines.newest().speculation = verifications(250, 427);
        run.request(0);
        run.core.advance(Duration.ofSeconds(5));
        // When
        run.engines.newest().speculation = verifications(250, 0);
        run.request(1);
        run.core.advance(Duration.ofSeconds(5));
        // Then
        EngineQuarantined quarantined = run.log.of(EngineQuarantined.class).getFirst();
        assertThat(quarantined.reason()).isEqualTo("a verification brings 1.00 tokens; it was 2.71 before");
        assertThat(quarantined.figures()).containsEntry("verifications", "1000");
        run.core.advance(Duration.ofSeconds(1));
        assertThat(run.engines.newest().share.recipe().args()).isEqualTo(DRAFTING);
    }

    @Test
    void draftsThatDoNotPayAreSwitchedOffOneEngineAfterTheOther() {
        // Given
        FakeRun run = new FakeRun(folder, 2, DRAFTING);
        run.engines.misfortune = engine -> {
            engine.speculation = verifications(250, 10);
            engine.checksum = engine.number <= 2 ? "with a draft" : "without";
        };
        run.serve();
        run.request(0);
        run.core.hold("await-");
        // When
        run.core.advance(Duration.ofSeconds(6));
        // Then
        assertThat(run.engines.launched).hasSize(3);
        EngineFellBack first = run.log.of(EngineFellBack.class).getFirst();
        assertThat(first.difference()).isEqualTo("no speculative decoding");
        assertThat(first.reason()).contains("brings 1.04 tokens");
        run.core.release("await-");
        run.core.advance(Duration.ofSeconds(1));
        assertThat(run.engines.launched).hasSize(4);
        assertThat(run.engines.launched.subList(2, 4))
                .extracting(engine -> engine.share.recipe().args())
                .containsOnly(List.of("--mem-fraction-static", "0.7", "--enable-metrics"));
        assertThat(run.log.of(EngineReady.class)).hasSize(4);
        assertThat(run.log.of(EngineQuarantined.class)).isEmpty();
    }

    /** Of one sample. */
    private static Speculation verifications(int verifications, int accepted) {
        return new Speculation(accepted, 2 * verifications, 0, 0, verifications, List.of());
    }
}
