package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Event;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RollbacksTest {
    private final List<LogEntry<Event>> log = new ArrayList<>();

    @Test
    void groupsOfStepsThatWereTakenBackStayUsedUp() {
        formed(1, 0);
        formed(2, 1);
        rolledBack(2, 1, 2);

        List<LogEntry<Event>> standing = Rollbacks.applied(log);

        BatchFormed second = (BatchFormed) standing.get(1).event();
        assertThat(standing.get(0)).isEqualTo(log.get(0));
        assertThat(second.step()).isEqualTo(1);
        assertThat(second.groups()).isEmpty();
        assertThat(second.dropped()).singleElement().satisfies(drop -> {
            assertThat(drop.cursor()).isEqualTo(1);
            assertThat(drop.reason()).isEqualTo(DropReason.ROLLED_BACK);
            assertThat(drop.again()).isFalse();
        });
    }

    @Test
    void aStepMayBeFormedAgainAfterItWasTakenBack() {
        formed(1, 0);
        formed(2, 1);
        rolledBack(2, 1, 2);
        formed(2, 2);
        TrainingState state = TrainingState.from(rules(), Cut.START);

        Rollbacks.applied(log).forEach(state::apply);

        assertThat(state.formedStep()).isEqualTo(2);
        assertThat(state.formedAt(2).orElseThrow().event().groups())
                .extracting(GroupUse::cursor)
                .containsExactly(2L);
    }

    @Test
    void stepsThatWereTakenBackAreNotCompleted() {
        formed(1, 0);
        completed(1);
        formed(2, 1);
        completed(2);
        rolledBack(2, 1, 2);
        TrainingState state = TrainingState.from(rules(), Cut.START);

        Rollbacks.applied(log).forEach(state::apply);

        assertThat(state.completedStep()).isEqualTo(1);
        assertThat(state.formedStep()).isEqualTo(1);
    }

    @Test
    void theirWeightVersionsStayCountedAndAreReplaced() {
        published(1, 1);
        published(2, 2);
        rolledBack(2, 1, 2);
        published(3, 2);

        List<LogEntry<Event>> standing = Rollbacks.applied(log);

        assertThat(standing)
                .filteredOn(entry -> entry.event() instanceof WeightsPublished)
                .extracting(entry -> ((WeightsPublished) entry.event()).supersedes())
                .containsExactly(null, 1, null);
        TrainingState state = TrainingState.from(rules(), Cut.START);
        standing.subList(0, 3).forEach(state::apply);
        assertThat(state.version()).isEqualTo(2);
        assertThat(state.isNewestWeightsTakenBack(1)).isTrue();
    }

    @Test
    void aLogWithoutRollbacksIsReadAsItIs() {
        formed(1, 0);
        completed(1);

        assertThat(Rollbacks.applied(log)).isEqualTo(log);
    }

    private void formed(int step, long cursor) {
        write(new BatchFormed(
                "run",
                1,
                step,
                List.of(new GroupUse("run/" + cursor, cursor, 0, "r" + cursor, 0, cursor, 0)),
                List.of(),
                cursor + 1,
                0,
                "sha"));
    }

    private void completed(int step) {
        write(new StepCompleted("run", 1, step, step, step, 1, 0, List.of(1), Map.of()));
    }

    private void published(int version, int step) {
        write(new WeightsPublished("run", 1, version, step, Transport.DISK, "/w/" + version, "sha", null));
    }

    private void rolledBack(int from, int to, int version) {
        write(new RolledBack("run", 1, from, to, version, "too steep"));
    }

    private void write(Event event) {
        log.add(new LogEntry<>(event, UUID.randomUUID().toString(), 0, log.size()));
    }

    private static TrainingRules rules() {
        return new TrainingRules("run", 10, 1, 1, 1, 1, 0, 0, DynamicFilter.NONE);
    }
}
