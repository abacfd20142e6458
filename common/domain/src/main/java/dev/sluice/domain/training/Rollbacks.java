package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads a run's log as if steps that were taken back had never been trained. Their groups stay used up, as drops: none is trained on
 * twice. Their weight versions stay counted, as replaced ones: a version never names two sets of weights.
 */
public final class Rollbacks {
    private Rollbacks() {}

    /** The records of a run's training and weight logs, in any order of the two. */
    public static List<LogEntry<Event>> applied(List<LogEntry<Event>> entries) {
        List<LogEntry<Event>> rollbacks = entries.stream()
                .filter(entry -> entry.event() instanceof RolledBack)
                .toList();
        if (rollbacks.isEmpty()) {
            return entries;
        }
        List<LogEntry<Event>> standing = new ArrayList<>();
        for (LogEntry<Event> entry : entries) {
            standing(entry, rollbacks)
                    .ifPresent(event ->
                            standing.add(new LogEntry<>(event, entry.id(), entry.partition(), entry.offset())));
        }
        return standing;
    }

    private static Optional<Event> standing(LogEntry<Event> entry, List<LogEntry<Event>> rollbacks) {
        Event event = entry.event();
        for (LogEntry<Event> rollback : rollbacks) {
            RolledBack taken = (RolledBack) rollback.event();
            boolean before = entry.offset() < rollback.offset();
            switch (event) {
                case BatchFormed formed
                when before && isTakenBack(formed, taken) -> {
                    return Optional.of(dropped(formed, taken));
                }
                case StepCompleted completed
                when before && completed.step() > taken.toStep() -> {
                    return Optional.empty();
                }
                case EvalCompleted completed
                when before && completed.step() > taken.toStep() -> {
                    return Optional.empty();
                }
                case CheckpointSaved saved
                when before && saved.step() > taken.toStep() -> {
                    return Optional.empty();
                }
                case WeightsPublished publication
                when publication.version() <= taken.weightVersion() && publication.step() > taken.toStep() -> {
                    return Optional.of(replaced(publication));
                }
                default -> {}
            }
        }
        return Optional.of(event);
    }

    private static boolean isTakenBack(BatchFormed formed, RolledBack taken) {
        return !formed.groups().isEmpty() && formed.step() > taken.toStep();
    }

    /** A batch of a step that was taken back, as one that only drops. */
    public static BatchFormed dropped(BatchFormed formed, RolledBack taken) {
        List<GroupDrop> drops = new ArrayList<>(formed.dropped());
        for (GroupUse use : formed.groups()) {
            drops.add(new GroupDrop(
                    use.groupId(), use.cursor(), use.round(), use.resultId(), DropReason.ROLLED_BACK, false, 0));
        }
        return new BatchFormed(
                formed.runId(),
                formed.epoch(),
                taken.toStep(),
                List.of(),
                drops,
                formed.cursorNext(),
                formed.weightVersion(),
                "");
    }

    private static WeightsPublished replaced(WeightsPublished publication) {
        return publication.supersedes() != null
                ? publication
                : new WeightsPublished(
                        publication.runId(),
                        publication.epoch(),
                        publication.version(),
                        publication.step(),
                        publication.transport(),
                        publication.directory(),
                        publication.manifestSha256(),
                        publication.version() - 1,
                        publication.delta());
    }
}
