package dev.sluice.cli.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunRequest.CancellationRequested;
import dev.sluice.events.RunRequest.ContinuationRequested;
import dev.sluice.events.RunRequest.TrainingRequested;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Asks for runs and reads about them, with nothing but the topics. */
public final class RunClient {
    private static final Duration READ_DEADLINE = Duration.ofSeconds(30);
    private static final Map<Topics, Long> ALL_OF_A_RUN = Map.of(
            Topics.RUN_EVENTS, 0L,
            Topics.CHECKPOINTS, 0L,
            Topics.GROUP_EVENTS, 0L,
            Topics.TRAINING, 0L,
            Topics.WEIGHTS, 0L,
            Topics.ENGINES, 0L);
    private static final List<Topics> OVERVIEW = List.of(Topics.RUN_EVENTS, Topics.CHECKPOINTS, Topics.TRAINING);

    private final KafkaConnection connection;

    public RunClient(String bootstrapServers) {
        this.connection = new KafkaConnection(bootstrapServers, "sluice-cli");
    }

    /** Publishes a request; the planner answers with a plan or a rejection. */
    public void submit(String runId, ObjectNode request) {
        ObjectNode event = EventJson.mapper().createObjectNode();
        event.put("runId", runId).set("request", request);
        try (EventPublisher publisher = EventPublisher.prompt(connection)) {
            publisher.publishRequestAndWait(
                    TrainingRequested.class, runId, EventJson.mapper().writeValueAsBytes(event));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a request that cannot be written: " + e.getMessage(), e);
        } catch (IllegalArgumentException e) {
            throw CommandFailure.usage(String.valueOf(e.getMessage()));
        }
    }

    /** Asks for the end of a run. */
    public void cancel(String runId, String reason) {
        try (EventPublisher publisher = EventPublisher.prompt(connection)) {
            publisher.publishAndWait(new CancellationRequested(runId, reason), null);
        }
    }

    /** Lets a run go on that a guard has paused. */
    public void goOn(String runId, String tripId, String reason) {
        try (EventPublisher publisher = EventPublisher.prompt(connection)) {
            publisher.publishAndWait(new ContinuationRequested(runId, tripId, reason), null);
        }
    }

    /** A run as its log tells now. */
    public RunProjection read(String runId) {
        RunProjection run = new RunProjection(runId);
        try (StateReader reader = StateReader.startRun(connection, runId, ALL_OF_A_RUN, run::apply)) {
            reader.awaitCaughtUp(READ_DEADLINE);
        }
        return run;
    }

    /** The cuts of a run that are kept, oldest first. */
    public List<CheckpointSaved> cuts(String runId) {
        List<CheckpointSaved> cuts = new ArrayList<>();
        try (StateReader reader = StateReader.startRun(connection, runId, Map.of(Topics.TRAINING, 0L), record -> {
            if (record.event() instanceof CheckpointSaved saved && saved.runId().equals(runId)) {
                cuts.add(saved);
            } else if (record.event() instanceof CheckpointRetired retired
                    && retired.runId().equals(runId)) {
                cuts.removeIf(cut -> cut.directory().equals(retired.directory()));
            }
        })) {
            reader.awaitCaughtUp(READ_DEADLINE);
        }
        return cuts;
    }

    /** Begins to look whether the log of a run keeps the protocols' invariants; before the run begins, or what is trimmed is missed. */
    public LogWatch watchLog(String runId) {
        return LogWatch.start(connection, runId);
    }

    /** All runs by id, without their groups: the ledgers are empty. */
    public Map<String, RunProjection> readAll() {
        Map<String, RunProjection> runs = new TreeMap<>();
        try (StateReader reader = StateReader.start(
                connection,
                OVERVIEW,
                record -> runs.computeIfAbsent(record.event().runId(), RunProjection::new)
                        .apply(record))) {
            reader.awaitCaughtUp(READ_DEADLINE);
        }
        return runs;
    }

    /** Begins to follow a run. */
    public RunFollower follow(String runId) {
        RunProjection run = new RunProjection(runId);
        RunFollower follower = new RunFollower(run);
        StateReader reader = StateReader.startRun(connection, runId, ALL_OF_A_RUN, follower::take);
        follower.reads(reader);
        reader.awaitCaughtUp(READ_DEADLINE);
        return follower;
    }
}
