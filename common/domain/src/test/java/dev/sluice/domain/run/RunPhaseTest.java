package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.run.RunPhase.Move;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunStopping;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RunPhaseTest {
    /** The life of a run as README.md of services/planner draws it; an empty cell is an illegal move. */
    private static final String TABLE = """
                   PLAN     REJECT    QUEUE   ASSIGN    REPOOL   START    STOP      SUCCEED    FAIL    CANCEL
            REQUESTED PLANNED  REJECTED  -       -         -        -        -         -          -       -
            REJECTED  PLANNED  REJECTED  -       -         -        -        -         -          -       -
            PLANNED   -        -         QUEUED  ASSIGNED  -        -        STOPPING  -          FAILED  -
            QUEUED    -        -         QUEUED  ASSIGNED  RUNNING  -        STOPPING  SUCCEEDED  FAILED  -
            ASSIGNED  -        -         QUEUED  ASSIGNED  -        RUNNING  STOPPING  SUCCEEDED  FAILED  -
            RUNNING   -        -         QUEUED  ASSIGNED  RUNNING  -        STOPPING  SUCCEEDED  FAILED  -
            STOPPING  -        -         -       -         -        -        -         -          -       CANCELLED
            SUCCEEDED -        -         -       -         -        -        -         -          -       -
            FAILED    -        -         -       -         -        -        -         -          -       -
            CANCELLED -        -         -       -         -        -        -         -          -       -
            """;

    @Test
    void allowsExactlyTheMovesOfTheTable() {
        Map<String, String> table = Arrays.stream(RunPhase.values())
                .collect(Collectors.toMap(
                        Enum::name,
                        phase -> Arrays.stream(Move.values())
                                .map(move -> phase.next(move).map(Enum::name).orElse("-"))
                                .collect(Collectors.joining(" "))));

        assertThat(table)
                .containsExactlyInAnyOrderEntriesOf(TABLE.lines()
                        .skip(1)
                        .map(line -> line.trim().split("\\s+", 2))
                        .collect(Collectors.toMap(row -> row[0], row -> row[1].replaceAll("\\s+", " "))));
    }

    @Test
    void anIllegalEventTellsWhereTheRunWasAndHowItGotThere() {
        Story story = Story.ofPlannedRun();
        story.append(new RunStopping(Story.RUN, "enough"));

        assertThatThrownBy(() -> story.desk.apply(new RunStarted(Story.RUN, 1), Instant.EPOCH))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("run tiny is STOPPING and cannot take RunStarted; it went through [PLAN, STOP]");
    }
}
