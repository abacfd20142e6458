package dev.sluice.cli;

import dev.sluice.domain.audit.RunAudit;
import dev.sluice.domain.ledger.Ledger;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Everything that is written of one run from its beginning, whatever is killed meanwhile. */
final class RunDiary implements AutoCloseable {
    /** What a trainer may not have read yet when it asks. */
    private static final Duration ON_THE_WAY = Duration.ofSeconds(1);

    private final String runId;
    private final RunAudit audit;
    private final Ledger ledger;
    private final StateReader reader;
    private final List<StepCompleted> steps = new ArrayList<>();
    private final List<TrainerReady> trainers = new ArrayList<>();
    private final Map<String, Instant> finished = new HashMap<>();
    private final List<EventRecord<Event>> asked = new ArrayList<>();
    private Optional<String> outcome = Optional.empty();

    RunDiary(KafkaConnection connection, String runId) {
        this.runId = runId;
        this.audit = new RunAudit(runId);
        this.ledger = new Ledger(runId);
        this.reader = StateReader.start(
                connection,
                List.of(Topics.TRAINING, Topics.GROUP_EVENTS, Topics.GROUP_TASKS, Topics.ENGINES, Topics.RUN_EVENTS),
                this::take);
    }

    private synchronized void take(EventRecord<Event> record) {
        if (!record.event().runId().equals(runId)) {
            return;
        }
        audit.apply(record.event(), record.id());
        switch (record.event()) {
            case StepCompleted step -> steps.add(step);
            case TrainerReady trainer -> trainers.add(trainer);
            case GroupSampled sampled -> finished.putIfAbsent(round(sampled.groupId(), sampled.round()), record.time());
            case GroupRequested request -> asked.add(record);
            case RunSucceeded succeeded -> outcome = Optional.of("succeeded");
            case RunFailed failed -> outcome = Optional.of(failed.reason());
            default -> {}
        }
        if (!(record.event() instanceof GroupRequested)) {
            ledger.apply(record.event(), record.id());
        }
    }

    private static String round(String groupId, int round) {
        return groupId + ":" + round;
    }

    synchronized <T> T look(Function<RunDiary, T> question) {
        return question.apply(this);
    }

    Optional<String> outcome() {
        return outcome;
    }

    int stepsTrained() {
        return steps.size();
    }

    List<Integer> steps() {
        return steps.stream().map(StepCompleted::step).toList();
    }

    List<String> trainers() {
        return trainers.stream().map(TrainerReady::how).toList();
    }

    List<String> findings(int maxPolicyLag) {
        return audit.findings(maxPolicyLag);
    }

    long tokensReported() {
        return ledger.tokensReported();
    }

    /** Groups that were asked for although their result had stood in the log for a while. */
    List<GroupRequested> askedAgainAlthoughFinished() {
        return asked.stream()
                .filter(record -> isLate((GroupRequested) record.event(), record.time()))
                .map(record -> (GroupRequested) record.event())
                .toList();
    }

    private boolean isLate(GroupRequested request, Instant at) {
        Instant result = finished.get(round(request.groupId(), request.round()));
        return result != null && at.isAfter(result.plus(ON_THE_WAY));
    }

    @Override
    public void close() {
        reader.close();
    }
}
