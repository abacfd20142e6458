package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Phases, publications, work, slow calls and deaths in any order: the fake engines refuse what a stock engine dies of, and at the
 * end of it all of them work with the newest version.
 */
class PhaseOrderTest {
    private static final List<String> CALLS = List.of("phase-", "load-", "await-", "warm-", "sample-", "stop-");

    @TempDir
    Path folder;

    static Stream<Long> seeds() {
        return new Random().longs(20).boxed();
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void enginesComeToWhatTheNewestPhaseAsksWhateverCameBefore(long seed) throws IOException {
        // Given
        Random random = new Random(seed);
        FakeRun fake = new FakeRun(folder, 2, List.of()).colocated().serve();
        int number = 0;
        int version = 0;
        // When
        for (int event = 0; event < 60; event++) {
            switch (random.nextInt(8)) {
                case 0 -> fake.phase(++number, Phase.TRAIN, version);
                case 1 -> fake.phase(++number, Phase.SYNC, version);
                case 2 -> {
                    fake.publish(++version);
                    fake.phase(++number, Phase.GENERATE, version);
                }
                case 3 -> fake.request(event);
                case 4 ->
                    fake.engines
                            .launched
                            .get(random.nextInt(fake.engines.launched.size()))
                            .crash();
                case 5 -> fake.core.hold(CALLS.get(random.nextInt(CALLS.size())));
                case 6 -> fake.core.release(CALLS.get(random.nextInt(CALLS.size())));
                default -> fake.core.advance(Duration.ofSeconds(random.nextInt(5)));
            }
        }
        // Then
        for (int times = 0; times < 60; times++) {
            CALLS.forEach(fake.core::release);
        }
        fake.phase(++number, Phase.TRAIN, version);
        fake.core.advance(Duration.ofMinutes(2));
        assertThat(newest(fake).number()).isEqualTo(number);
        assertThat(alive(fake)).allSatisfy(engine -> assertThat(engine.released).hasSize(3));
        fake.publish(++version);
        fake.phase(++number, Phase.GENERATE, version);
        fake.core.advance(Duration.ofMinutes(2));
        assertThat(newest(fake).number()).isEqualTo(number);
        String label = Integer.toString(version);
        assertThat(alive(fake)).hasSize(2).allSatisfy(engine -> {
            assertThat(engine.released).isEmpty();
            assertThat(engine.label).isEqualTo(label);
        });
        int before = fake.log.of(GroupSampled.class).size();
        IntStream.range(100, 102).forEach(fake::request);
        assertThat(fake.log.of(GroupSampled.class)).hasSize(before + 2);
    }

    private static PhaseReached newest(FakeRun fake) {
        return fake.log.of(PhaseReached.class).getLast();
    }

    private static List<FakeEngine> alive(FakeRun fake) {
        return fake.engines.launched.stream()
                .filter(engine -> !engine.exited().isDone())
                .toList();
    }
}
