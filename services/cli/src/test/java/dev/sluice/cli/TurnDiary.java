package dev.sluice.cli;

import dev.sluice.events.EngineEvent.EngineWorked;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.Topics;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Whose turn it was in a run on its GPUs, and what its engines did meanwhile. */
final class TurnDiary implements AutoCloseable {
    /** Between an engine's last token and its pause, and between two clocks' readings. */
    private static final Duration BLUR = Duration.ofMillis(200);

    private final String runId;
    private final StateReader reader;
    private final List<EventRecord<PhaseChanged>> phases = new ArrayList<>();
    private final Map<Integer, Instant> lastReached = new HashMap<>();
    private final List<TimeSpan> generating = new ArrayList<>();
    private final List<RunAssigned> assignments = new ArrayList<>();

    TurnDiary(KafkaConnection connection, String runId) {
        this.runId = runId;
        this.reader =
                StateReader.start(connection, List.of(Topics.WEIGHTS, Topics.ENGINES, Topics.RUN_EVENTS), this::take);
    }

    @SuppressWarnings("unchecked") // the record's type is its event's
    private synchronized void take(EventRecord<Event> record) {
        if (!record.event().runId().equals(runId)) {
            return;
        }
        switch (record.event()) {
            case PhaseChanged changed -> phases.add((EventRecord<PhaseChanged>) (EventRecord<?>) record);
            case PhaseReached reached -> lastReached.put(reached.number(), record.time());
            case EngineWorked worked -> generating.addAll(worked.generating());
            case RunAssigned assigned -> assignments.add(assigned);
            default -> {}
        }
    }

    synchronized <T> T look(Function<TurnDiary, T> question) {
        return question.apply(this);
    }

    List<PhaseChanged> phases() {
        return phases.stream().map(EventRecord::event).toList();
    }

    /** The newest phase, where it is this one and engines have been told nothing since. */
    boolean isIn(Phase phase, int atLeast) {
        return !phases.isEmpty()
                && phases.getLast().event().phase() == phase
                && phases.getLast().event().number() >= atLeast;
    }

    RunAssigned firstAssignment() {
        return assignments.getFirst();
    }

    /** Times that training had for itself: from the last engine's word that it stands still to the next generation. */
    List<TimeSpan> turnsOfTraining() {
        List<TimeSpan> turns = new ArrayList<>();
        for (int i = 0; i + 1 < phases.size(); i++) {
            PhaseChanged phase = phases.get(i).event();
            PhaseChanged next = phases.get(i + 1).event();
            Instant still = lastReached.get(phase.number());
            if (phase.phase() == Phase.TRAIN && next.phase() == Phase.GENERATE && still != null) {
                Instant end = phases.get(i + 1).time();
                turns.add(new TimeSpan(still, end.isBefore(still) ? still : end));
            }
        }
        return turns;
    }

    /** What engines generated in them. */
    List<TimeSpan> generatedIn(List<TimeSpan> turns) {
        return generating.stream()
                .filter(span -> turns.stream()
                        .anyMatch(turn -> span.began().isBefore(turn.ended().minus(BLUR))
                                && span.ended().isAfter(turn.began().plus(BLUR))))
                .toList();
    }

    @Override
    public void close() {
        reader.close();
    }
}
