package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.sglang.MemoryTag;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EngineStateTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant LATER = NOW.plusSeconds(7);
    private static final Set<MemoryTag> ALL = EnumSet.allOf(MemoryTag.class);

    @Test
    void anEngineTakesWorkOnlyAfterItHoldsTheNewestVersion() {
        // Given
        EngineState launching = new EngineState.Launching(NOW);
        // When
        EngineState ready = launching.started(NOW).update(5, NOW).warm(5, NOW).ready(5, LATER);
        // Then
        assertThat(ready).isEqualTo(new EngineState.Ready(5, LATER));
        assertThat(ready.holds(5)).isTrue();
    }

    @Test
    void anUpdateCountsFromTheMomentThatNoMoreWorkWasTaken() {
        // Given
        EngineState.Ready ready = new EngineState.Ready(1, NOW);
        // When
        EngineState.Updating updating = ready.quiesce(2, NOW).update(3, LATER);
        // Then
        assertThat(updating).isEqualTo(new EngineState.Updating(1, 3, NOW));
        assertThat(updating.holds(1)).isFalse();
    }

    @Test
    void anUpdateThatEndsWithAnotherVersionIsABrokenContract() {
        // Given
        EngineState updating = new EngineState.Updating(1, 3, NOW);
        // When / Then
        assertThatThrownBy(() -> updating.ready(2, LATER))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Updating[from=1, to=3")
                .hasMessageContaining("version 2");
    }

    @Test
    void whatIsReleasedIsKnownThroughAllPhases() {
        // Given
        EngineState ready = new EngineState.Ready(4, NOW);
        // When
        EngineState.HandingOver toTraining = ready.quiesce(4, NOW).handOver(Phase.TRAIN, ALL, LATER);
        EngineState.HandingOver toSync =
                toTraining.paused(LATER).handOver(Phase.SYNC, Set.of(MemoryTag.KV_CACHE), LATER);
        // Then
        assertThat(toTraining).isEqualTo(new EngineState.HandingOver(4, Phase.TRAIN, Set.of(), ALL, NOW));
        assertThat(toSync)
                .isEqualTo(new EngineState.HandingOver(4, Phase.SYNC, ALL, Set.of(MemoryTag.KV_CACHE), LATER));
        assertThat(toSync.paused(LATER).released()).containsExactly(MemoryTag.KV_CACHE);
        assertThat(toSync.paused(LATER).holds(4)).isFalse();
        assertThat(toSync.paused(LATER).served()).isEmpty();
    }

    @Test
    void anUpdateCountsFromThePauseForItAndNotFromTrainings() {
        // Given
        EngineState.Paused training = new EngineState.Paused(1, Phase.TRAIN, ALL, NOW);
        EngineState.Paused sync = new EngineState.Paused(1, Phase.SYNC, Set.of(), NOW);
        // When / Then
        assertThat(training.update(2, LATER)).isEqualTo(new EngineState.Updating(1, 2, LATER));
        assertThat(sync.update(2, LATER)).isEqualTo(new EngineState.Updating(1, 2, NOW));
    }

    @Test
    void anEngineThatStandsStillTakesNoWorkBeforeAnUpdate() {
        // Given
        EngineState paused = new EngineState.Paused(1, Phase.SYNC, Set.of(), NOW);
        // When / Then
        assertThatThrownBy(() -> paused.ready(1, LATER)).hasMessageContaining("Paused");
        assertThatThrownBy(() -> paused.warm(1, LATER)).hasMessageContaining("Paused");
    }

    @Test
    void anEngineThatIsLoadingCannotBeSuspected() {
        // Given
        EngineState loading = new EngineState.Loading(NOW);
        // When / Then
        assertThatThrownBy(() -> loading.suspect("slow", LATER))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("Loading")
                .hasMessageContaining("suspect: slow");
    }

    @Test
    void suspicionAddsUpAndKeepsItsFirstTime() {
        // Given
        EngineState.Suspect once = new EngineState.Ready(4, NOW).suspect("no answer", NOW);
        // When
        EngineState.Suspect twice = once.suspect("still none", LATER);
        // Then
        assertThat(twice).isEqualTo(new EngineState.Suspect(4, 2, "still none", NOW));
        assertThat(twice.ready(4, LATER).version()).isEqualTo(4);
    }

    @Test
    void aFollowingProcessNeitherServesNorHasADeadline() {
        // Given
        EngineState following = new EngineState.Loading(NOW).follow(NOW);
        // When / Then
        assertThat(following.served()).isEmpty();
        assertThat(following.holds(0)).isFalse();
        assertThatThrownBy(() -> following.ready(0, LATER)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aDeadEngineStaysDead() {
        // Given
        EngineState dead = new EngineState.Ready(4, NOW).die("killed", NOW);
        // When / Then
        assertThatThrownBy(() -> dead.drain("late", LATER)).hasMessageContaining("killed");
        assertThatThrownBy(() -> dead.ready(4, LATER)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void onlyServingDeathAndWaitingForTheTrainerHaveNoDeadline() {
        // Given
        EngineDeadlines deadlines = new EngineDeadlines(
                Duration.ofSeconds(120),
                Duration.ofSeconds(50),
                Duration.ofSeconds(2),
                Duration.ofSeconds(60),
                Duration.ofSeconds(90),
                Duration.ofSeconds(3),
                new EngineDeadlines.Watch(Duration.ofSeconds(30), Duration.ofSeconds(31), Duration.ofSeconds(32)));
        // When / Then
        assertThat(new EngineState.Ready(1, NOW).deadline(deadlines)).isEmpty();
        assertThat(new EngineState.Dead("x", NOW).deadline(deadlines)).isEmpty();
        assertThat(new EngineState.Launching(NOW).deadline(deadlines)).contains(Duration.ofSeconds(120));
        assertThat(new EngineState.Loading(NOW).deadline(deadlines)).contains(Duration.ofSeconds(120));
        assertThat(new EngineState.Warming(1, NOW).deadline(deadlines)).contains(Duration.ofSeconds(100));
        assertThat(new EngineState.Quiescing(1, 2, NOW).deadline(deadlines)).contains(Duration.ofSeconds(2));
        assertThat(new EngineState.Updating(1, 2, NOW).deadline(deadlines)).contains(Duration.ofSeconds(62));
        assertThat(new EngineState.Suspect(1, 1, "x", NOW).deadline(deadlines)).contains(Duration.ofSeconds(90));
        assertThat(new EngineState.Draining("x", NOW).deadline(deadlines)).contains(Duration.ofSeconds(3));
        assertThat(new EngineState.HandingOver(1, Phase.TRAIN, Set.of(), ALL, NOW).deadline(deadlines))
                .contains(Duration.ofSeconds(62));
        assertThat(new EngineState.Paused(1, Phase.TRAIN, ALL, NOW).deadline(deadlines))
                .isEmpty();
        assertThat(new EngineState.AwaitingWeights(1, NOW).deadline(deadlines)).isEmpty();
    }
}
