package dev.sluice.trainer.loop;

import dev.sluice.domain.replay.ReplayOrder;
import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.TrainingRules;
import dev.sluice.events.RunKind;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingRequest;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.LogTrim;
import dev.sluice.trainer.cut.CutChoice;
import dev.sluice.trainer.cut.EarlierRun;
import dev.sluice.trainer.log.LoggedRun;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.run.ImpossibleOrderException;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a replay begins and ends.
 *
 * @param cut what the run's state is then
 * @param cutDirectory the cut's files; absent where it begins with the converted model
 * @param torchDist the converted model
 * @param last the last step to train
 */
record ReplayStart(Cut cut, @Nullable String cutDirectory, String torchDist, int last) {

    /** @throws TrainingRefusedException if files or the part of the log that it needs are gone */
    static ReplayStart choose(ReplayOrder order, LoggedRun run, TrainingHistory history, KafkaConnection connection) {
        List<BatchFormed> formed = history.formed();
        int last = lastStep(order, formed);
        Optional<CheckpointSaved> own = CutChoice.newestSound(history.cuts().stream()
                .filter(cut -> cut.step() <= order.from())
                .toList());
        TrainingRequest request = run.planned().request();
        Optional<EarlierRun> earlier = own.isPresent()
                ? Optional.empty()
                : Optional.ofNullable(request.checkpoints().resumeFrom())
                        .map(runId -> EarlierRun.begunWith(
                                connection, runId, TrainingRules.of(order.runId(), request), history));
        Optional<CheckpointSaved> saved = own.or(() -> earlier.map(EarlierRun::saved));
        Cut cut = own.map(Cut::of).or(() -> earlier.map(EarlierRun::cut)).orElse(Cut.START);
        LogTrim results = new LogTrim(connection, Topics.GROUP_EVENTS);
        // Given answers stand in no log: rows make them anew.
        long beginning = RunKind.of(request) == RunKind.SUPERVISED
                ? Long.MIN_VALUE
                : results.beginnings().getOrDefault(results.partitionOf(order.runId()), 0L);
        requireLog(order, cut, formed, history, beginning);
        String torchDist = run.torchDist() == null ? "" : run.torchDist();
        if (saved.isEmpty() && !Files.isDirectory(Path.of(torchDist))) {
            throw new TrainingRefusedException(
                    "the converted model that run %s began with is not at %s any more; make it again with: sluice convert %s %s"
                            .formatted(
                                    order.runId(),
                                    torchDist,
                                    run.planned().request().model().path(),
                                    torchDist));
        }
        return new ReplayStart(cut, saved.map(CheckpointSaved::directory).orElse(null), torchDist, last);
    }

    private static int lastStep(ReplayOrder order, List<BatchFormed> formed) {
        int last = formed.stream().mapToInt(BatchFormed::step).max().orElse(0);
        int wanted = order.to() == null ? last : order.to();
        if (last <= order.from() || wanted > last) {
            throw new ImpossibleOrderException("run %s has formed %d steps; %s not in its log"
                    .formatted(
                            order.runId(),
                            last,
                            order.to() == null
                                    ? "step %d is".formatted(order.from() + 1)
                                    : "steps %d to %d are".formatted(order.from() + 1, order.to())));
        }
        return wanted;
    }

    /** Retention deletes what no resume needs; a replay says how far back the log goes. */
    private static void requireLog(
            ReplayOrder order, Cut cut, List<BatchFormed> formed, TrainingHistory history, long beginning) {
        int firstFormed = formed.stream().mapToInt(BatchFormed::step).min().orElse(0);
        int lacking = formed.stream()
                .filter(batch -> batch.groups().stream().anyMatch(use -> use.offset() < beginning))
                .mapToInt(BatchFormed::step)
                .max()
                .orElse(firstFormed - 1);
        if (lacking <= cut.step()) {
            return;
        }
        List<Integer> kept = history.cuts().stream()
                .map(CheckpointSaved::step)
                .filter(step -> step >= lacking)
                .sorted()
                .toList();
        throw new TrainingRefusedException(
                ("the log of run %s goes back to step %d: what earlier steps were trained on is deleted (its results begin at"
                                + " offset %d). %s")
                        .formatted(
                                order.runId(),
                                lacking + 1,
                                beginning,
                                kept.isEmpty()
                                        ? "No cut at or after step %d is kept, so nothing of it can be trained again"
                                                .formatted(lacking)
                                        : "Cuts are kept of steps %s; use --from %d or later"
                                                .formatted(kept, kept.getFirst())));
    }
}
