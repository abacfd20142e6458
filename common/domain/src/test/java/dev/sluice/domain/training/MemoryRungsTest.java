package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemoryRungsTest {
    private final List<LogEntry<Event>> log = new ArrayList<>();

    @Test
    void aStepIsTrainedAgainOnTheRungThatItWasCompletedOn() {
        completed(1, 0);
        cut(1);
        completed(2, 0);
        fellBack(3, 1);
        completed(3, 1);

        assertThat(rungs(1, 2, 3, 4)).containsExactly(0, 0, 1, 1);
        assertThat(new MemoryRungs(log).newest()).isEqualTo(1);
        assertThat(new MemoryRungs(log).isMoved(2)).isFalse();
    }

    @Test
    void aWorkerThatRunsOutOfMemoryWhileItTrainsACompletedStepAgainMovesThatOneAndThoseAfterIt() {
        completed(1, 0);
        cut(1);
        completed(2, 0);
        completed(3, 0);
        completed(4, 0);
        fellBack(3, 1);

        assertThat(rungs(1, 2, 3, 4, 5)).containsExactly(0, 0, 1, 1, 1);
        assertThat(new MemoryRungs(log).isMoved(2)).isFalse();
        assertThat(new MemoryRungs(log).isMoved(4)).isTrue();
    }

    @Test
    void aWorkerThatRunsOutOfMemoryBeforeItTrainsMovesEveryStepAfterItsCut() {
        completed(1, 0);
        cut(1);
        completed(2, 0);
        fellBack(0, 1);

        assertThat(rungs(1, 2, 3)).containsExactly(0, 1, 1);
    }

    @Test
    void aCompletedStepThatNoLongerFitsTakesTheRungThatTheWorkerIsOnBeforeItTakesTheNext() {
        completed(1, 0);
        fellBack(2, 2);

        assertThat(new MemoryRungs(log).after(1)).isEqualTo(2);
        assertThat(new MemoryRungs(log).after(2)).isEqualTo(3);

        fellBack(1, 2);

        assertThat(new MemoryRungs(log).after(1)).isEqualTo(3);
    }

    private List<Integer> rungs(int... steps) {
        MemoryRungs rungs = new MemoryRungs(log);
        return Arrays.stream(steps).map(rungs::of).boxed().toList();
    }

    private void completed(int step, int rung) {
        add(new StepCompleted("run", 1, step, step, step, 1, 0, List.of(), Map.of(), null, rung));
    }

    private void cut(int step) {
        add(new CheckpointSaved("run", 1, step, step, step, "cut", "sha", false, 0, 0, List.of(), 0, 0, "data"));
    }

    private void fellBack(int step, int rung) {
        add(new WorkerFellBack("run", 1, step, rung, 3, "less", "out of memory"));
    }

    private void add(Event event) {
        log.add(new LogEntry<>(event, "id", 0, log.size()));
    }
}
