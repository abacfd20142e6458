package dev.sluice.rollout.task;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.rollout.task.Admission.Candidate;
import dev.sluice.rollout.task.Admission.Decision;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private static final VersionBound ANY = new VersionBound(0, null);

    @Test
    void theNewestWeightsComeBeforeTheMostRoom() {
        // Given
        var engines = List.of(new Candidate("old", 3, 64, 64), new Candidate("new", 4, 64, 8));
        // When
        Decision decision = Admission.choose(ANY, 8, null, engines);
        // Then
        assertThat(decision).isEqualTo(new Decision.To("new"));
    }

    @Test
    void amongEqualWeightsTheMostRoomWins() {
        // Given
        var engines = List.of(new Candidate("fuller", 4, 64, 8), new Candidate("emptier", 4, 64, 16));
        // When
        Decision decision = Admission.choose(ANY, 8, null, engines);
        // Then
        assertThat(decision).isEqualTo(new Decision.To("emptier"));
    }

    @Test
    void aGroupIsNotSplitOverEnginesToFillTheirLastPlaces() {
        // Given
        var engines = List.of(new Candidate("a", 4, 64, 7), new Candidate("b", 4, 64, 7));
        // When
        Decision decision = Admission.choose(ANY, 8, null, engines);
        // Then
        assertThat(decision).isEqualTo(new Decision.NoRoom());
    }

    @Test
    void aGroupLargerThanAnyEngineGoesToAnEmptyOne() {
        // Given
        var engines = List.of(new Candidate("busy", 4, 4, 3), new Candidate("empty", 4, 4, 4));
        // When
        Decision decision = Admission.choose(ANY, 16, null, engines);
        // Then
        assertThat(decision).isEqualTo(new Decision.To("empty"));
    }

    @Test
    void anEngineBelowTheBoundIsNeverChosen() {
        // Given
        var engines = List.of(new Candidate("stale", 3, 64, 64));
        // When
        Decision decision = Admission.choose(new VersionBound(4, null), 8, null, engines);
        // Then
        assertThat(decision).isEqualTo(new Decision.NoVersion());
    }

    @Test
    void anExactBoundTakesNeitherOlderNorNewer() {
        // Given
        var engines = List.of(
                new Candidate("older", 3, 64, 64), new Candidate("newer", 5, 64, 64), new Candidate("it", 4, 64, 64));
        // When
        Decision decision = Admission.choose(new VersionBound(0, 4), 8, null, engines);
        // Then
        assertThat(decision).isEqualTo(new Decision.To("it"));
    }

    @Test
    void whatGoesOnAfterAnEnvironmentGoesToTheEngineThatBeganItUnlessOthersAreNewer() {
        var engines = List.of(new Candidate("home", 4, 8, 1), new Candidate("emptier", 4, 8, 8));
        var newer = List.of(new Candidate("home", 4, 8, 1), new Candidate("newer", 5, 8, 1));

        assertThat(Admission.choose(ANY, 1, "home", engines)).isEqualTo(new Decision.To("home"));
        assertThat(Admission.choose(ANY, 2, "home", engines)).isEqualTo(new Decision.To("emptier"));
        assertThat(Admission.choose(ANY, 1, "home", newer)).isEqualTo(new Decision.To("newer"));
    }
}
