package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.EngineFellBack;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.Plan.Fallback;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What follows a start that fails. */
class EngineStartTest {
    private static final List<String> PLANNED = List.of("--mem-fraction-static", "0.7");
    private static final Fallback LOWER =
            new Fallback("0.65 of the memory instead of 0.7", List.of("--mem-fraction-static", "0.65"));
    private static final Fallback LOWEST =
            new Fallback("0.6 of the memory instead of 0.65", List.of("--mem-fraction-static", "0.6"));
    /** As PyTorch 2.7 writes it. */
    private static final String NO_MEMORY =
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.1 GiB";

    @TempDir
    Path folder;

    @Test
    void anEngineWithoutMemoryAtItsStartIsFollowedByOneWithTheNextFallback() {
        // Given
        FakeRun run = starting();
        // When
        run.engines.newest().crash("loading", NO_MEMORY, "SIGQUIT received. It usually means one child failed.");
        run.core.release("await-");
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.engines.launched)
                .extracting(engine -> engine.share.recipe().args())
                .containsExactly(PLANNED, LOWER.args());
        EngineFellBack fellBack = run.log.of(EngineFellBack.class).getFirst();
        assertThat(fellBack.difference()).isEqualTo(LOWER.because());
        assertThat(fellBack.reason()).contains("ran out of memory at its start", "Tried to allocate 2.00 GiB");
        assertThat(fellBack.fallback()).isEqualTo(1);
        assertThat(run.log.of(EngineReady.class)).hasSize(1);
    }

    @Test
    void aFallbackThatWorkedIsKeptForTheNextStart() {
        // Given
        FakeRun run = starting();
        run.engines.newest().crash(NO_MEMORY);
        run.core.release("await-");
        run.core.advance(Duration.ofSeconds(1));
        // When
        run.engines.newest().crash(NO_MEMORY); // while it served: no matter of its arguments at the start
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.engines.launched)
                .extracting(engine -> engine.share.recipe().args())
                .containsExactly(PLANNED, LOWER.args(), LOWER.args());
        assertThat(run.log.of(EngineFellBack.class)).hasSize(1);
    }

    @Test
    void whenNoFallbackIsLeftItSaysSoAndTriesOnlyNowAndThen() {
        // Given
        FakeRun run = starting();
        // When
        for (int start = 1; start <= 3; start++) {
            assertThat(run.engines.launched).hasSize(start);
            run.engines.newest().crash(NO_MEMORY);
            run.core.advance(Duration.ofSeconds(10));
        }
        // Then
        EngineFellBack last = run.log.of(EngineFellBack.class).getLast();
        assertThat(last.difference()).isNull();
        assertThat(last.reason()).contains("all 2 fallbacks of the plan were tried", "every 300 s");
        assertThat(run.engines.launched).hasSize(3);
        run.core.advance(Duration.ofMinutes(5));
        assertThat(run.engines.launched).hasSize(4);
    }

    @Test
    void anEngineWhosePortWasTakenSaysSoAndStartsAgainWithTheSameArguments() {
        // Given
        FakeRun run = starting();
        // When
        run.engines.newest().crash("[Errno 98] error while attempting to bind on address: address already in use");
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(EngineStopped.class).getFirst().reason())
                .contains("another program has one of its ports", "the next start takes others");
        assertThat(run.engines.newest().share.recipe().args()).isEqualTo(PLANNED);
    }

    @Test
    void anEngineThatWasThereBeforeLoadsEvenTheSourceBeforeItTakesWork() {
        // Given
        FakeRun run = new FakeRun(folder, 1, PLANNED);
        run.engines.misfortune = engine -> {
            engine.adopted = true;
            engine.label = "17"; // of a run that nobody remembers
        };
        // When
        run.serve();
        // Then
        assertThat(run.engines.newest().loaded).containsExactly(0);
        assertThat(run.log.of(EngineReady.class))
                .extracting(EngineReady::weightVersion)
                .containsExactly(0);
    }

    @Test
    void anExternalEngineThatIsLostIsAdoptedAgainWhenItIsBackAndLoadsTheNewestVersion() throws Exception {
        // Given
        FakeRun run = new FakeRun(folder, 1, PLANNED);
        run.engines.misfortune = engine -> engine.adopted = true;
        run.serve();
        run.publish(1);
        // When
        run.engines.newest().healthy = false;
        run.engines.launchFailure = "the external engine does not answer";
        run.core.advance(Duration.ofSeconds(20));
        assertThat(run.log.of(EngineStopped.class).getLast().reason()).contains("does not answer");
        run.engines.launchFailure = null;
        run.core.advance(Duration.ofSeconds(30));
        // Then
        assertThat(run.engines.newest().loaded).containsExactly(1);
        assertThat(run.log.of(EngineReady.class).getLast().weightVersion()).isEqualTo(1);
    }

    /** A run whose engine loads its model still. */
    private FakeRun starting() {
        FakeRun run = new FakeRun(folder, 1, PLANNED, LOWER, LOWEST);
        run.core.hold("await-");
        return run.serve();
    }
}
