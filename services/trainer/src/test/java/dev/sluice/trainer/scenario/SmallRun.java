package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import dev.sluice.trainer.scenario.WeightChain.Advantage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;

/** A run of eight steps whose log is followed, and the one small rollout instance that serves it. */
final class SmallRun implements AutoCloseable {
    static final Duration DEADLINE = Duration.ofSeconds(60);

    final String id;
    final Scenario scenario;
    final SmallRollout rollout;
    private final EventLog log;

    SmallRun(KafkaBroker kafka, String name, Path dataRoot, Placement placement, Transport transport)
            throws IOException {
        id = kafka.newRunId(name);
        scenario = new Scenario(kafka.connection("trainer-test"), id, dataRoot, 0);
        scenario.plan = Scenario.plan(placement, transport);
        log = kafka.follow(Topics.TRAINING, Topics.WEIGHTS, Topics.GROUP_EVENTS, Topics.ENGINES, Topics.METRICS);
        rollout = new SmallRollout(kafka.connection("rollout-test"), id);
        scenario.signals.servedBy(List.of(rollout.share()));
    }

    RunTrainer start(int epoch) {
        RunTrainer trainer = scenario.trainer(epoch);
        trainer.start();
        return trainer;
    }

    /** Has the worker's calls and the phases that the instance sees written to a file. */
    Path notes(Path folder) {
        Path notes = folder.resolve("notes");
        scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.NOTES, notes.toString());
        rollout.note(notes);
        return notes;
    }

    <E extends Event> E await(Class<E> type, Predicate<E> wanted) {
        return log.await(id, type, wanted, DEADLINE);
    }

    CheckpointSaved awaitLastCut() {
        return await(CheckpointSaved.class, CheckpointSaved::last);
    }

    /** The first trainer leaves everything as kill -9 would, and a second one ends the run; the instance says all it kept back. */
    CheckpointSaved endBySuccessor(RunTrainer first, boolean workerSurvives) throws IOException {
        first.supersede();
        first.join(DEADLINE);
        if (!workerSurvives) {
            scenario.stopWorker();
        }
        rollout.speak();
        rollout.goOn();
        RunTrainer second = start(2);
        CheckpointSaved last = awaitLastCut();
        second.end(DEADLINE);
        return last;
    }

    <E extends Event> List<E> events(Class<E> type) {
        return log.events(id, type);
    }

    /** The cut holds what the log says that was trained. */
    void assertTrained(CheckpointSaved cut) throws IOException {
        assertThat(WeightChain.in(cut)).isEqualTo(WeightChain.byTheLog(log, id, Advantage.GRPO));
    }

    void assertWhole(CheckpointSaved last) throws IOException {
        assertThat(events(StepCompleted.class)).extracting(StepCompleted::step).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(events(PhaseChanged.class))
                .extracting(PhaseChanged::number)
                .isSorted()
                .doesNotHaveDuplicates();
        assertTrained(last);
    }

    @Override
    public void close() throws IOException {
        rollout.close();
        log.close();
        scenario.close();
    }
}
