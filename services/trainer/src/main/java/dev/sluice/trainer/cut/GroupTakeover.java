package dev.sluice.trainer.cut;

import dev.sluice.domain.training.Adoption;
import dev.sluice.domain.training.SamplingTerms;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.RunKind;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointAdopted;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.LogTrim;
import dev.sluice.kafka.StateReader;
import dev.sluice.trainer.log.LogRecords;
import dev.sluice.trainer.log.LoggedRun;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes the finished groups of an earlier run into the log of the run that goes on from it, before that one asks for its first.
 * What was begun twice is written twice: of two results the first counts, and neither has tokens in this run's ledger.
 */
public final class GroupTakeover {
    private static final Duration DEADLINE = Duration.ofMinutes(10);

    /** A group may hold 1 MiB, and a transaction has 10 s. */
    private static final int GROUPS_A_TRANSACTION = 16;

    private static final Logger LOG = LoggerFactory.getLogger(GroupTakeover.class);

    private final KafkaConnection connection;
    private final TrainedRun run;
    private final EarlierRun earlier;
    private String reason = "";

    public GroupTakeover(KafkaConnection connection, TrainedRun run, EarlierRun earlier) {
        this.connection = connection;
        this.run = run;
        this.earlier = earlier;
    }

    /**
     * Takes over what no earlier trainer of the run has.
     *
     * @param own what the run has in its log
     * @return the groups that were written now
     */
    public List<GroupSampled> into(RunJournal journal, TrainingHistory own) {
        if (own.isAnnounced()) {
            return List.of(); // A trainer was ready, so it had written them all.
        }
        List<GroupSampled> groups = groups();
        if (own.adopted().isEmpty()) {
            // First: the log of results is kept for runs that have a training event.
            journal.append(adopted(groups));
        }
        for (int begin = 0; begin < groups.size(); begin += GROUPS_A_TRANSACTION) {
            int end = Math.min(begin + GROUPS_A_TRANSACTION, groups.size());
            List<Event> part = new ArrayList<>(groups.subList(begin, end));
            journal.append(part, null);
        }
        return groups;
    }

    private List<GroupSampled> groups() {
        if (run.kind() != RunKind.REINFORCEMENT) {
            return List.of(); // Given answers stand in no log: rows make them anew.
        }
        String earlierId = earlier.saved().runId();
        List<String> differences = SamplingTerms.differences(
                LoggedRun.read(connection, earlierId).planned().request(), run.request());
        if (!differences.isEmpty()) {
            reason = "%s differ from those of run %s".formatted(String.join(", ", differences), earlierId);
            return List.of();
        }
        Adoption adoption = earlier.adoption();
        long from = adoption.resultsFrom(earlier.savedCuts());
        try (StateReader reader =
                StateReader.startRun(connection, earlierId, Map.of(Topics.GROUP_EVENTS, from), record -> {
                    synchronized (adoption) {
                        adoption.accept(LogRecords.entry(record));
                    }
                })) {
            reader.awaitCaughtUp(DEADLINE);
        }
        synchronized (adoption) {
            List<GroupSampled> groups = adoption.groups(run.epoch());
            reason = whySampledAnew(adoption, from);
            return groups;
        }
    }

    private String whySampledAnew(Adoption adoption, long from) {
        LogTrim results = new LogTrim(connection, Topics.GROUP_EVENTS);
        long beginning = results.beginnings()
                .getOrDefault(results.partitionOf(earlier.saved().runId()), 0L);
        return adoption.lost() > 0 || beginning > from
                ? "results of run %s below offset %d are deleted, and those from %d on could have served"
                        .formatted(earlier.saved().runId(), beginning, from)
                : "older than the run's policy lag allows, or not whole";
    }

    private CheckpointAdopted adopted(List<GroupSampled> groups) {
        int sampledAnew = earlier.adoption().sampledAnew(groups.size());
        long tokens = groups.stream()
                .flatMap(group -> group.samples().stream())
                .mapToLong(sample -> sample.tokens().length())
                .sum();
        CheckpointAdopted adopted = new CheckpointAdopted(
                run.runId(),
                run.epoch(),
                earlier.saved().runId(),
                earlier.cut().step(),
                earlier.saved().directory(),
                earlier.cut().cursorNext(),
                earlier.cut().closedBelow(),
                earlier.cut().closedAbove(),
                groups.size(),
                tokens,
                sampledAnew,
                sampledAnew == 0 ? "" : reason);
        LOG.info(
                "goes on from an earlier run's cut runId={} earlier={} step={} groups={} tokens={} sampledAnew={} reason={}",
                run.runId(),
                adopted.earlierRunId(),
                adopted.step(),
                adopted.groups(),
                adopted.tokens(),
                adopted.sampledAnew(),
                adopted.reason());
        return adopted;
    }
}
