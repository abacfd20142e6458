package dev.sluice.domain.retention;

import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.TrainerReady;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;

/**
 * Runs that share one partition, told without the code under test: results are appended, used up, cut, resumed from any
 * kept cut; planners that are more or less behind delete what their view allows. A cut remembers the very results that
 * were not used up, and deleting one of those that a kept cut of a living or recently finished run remembers is an error.
 */
final class RetentionWorld {
    static final Duration KEEP = Duration.ofHours(10);
    private static final int RUNS = 4;
    private static final int KEPT_CUTS = 2;

    private final Random random;
    private final View view;
    private final List<String> results = new ArrayList<>();
    private final List<RunRecord> runLog = new ArrayList<>();
    private final List<TrainingEvent> trainingLog = new ArrayList<>();
    private final List<ToldRun> runs = new ArrayList<>();
    private final List<String> moves = new ArrayList<>();
    private Instant now = Instant.EPOCH;
    private long trimmed;

    /** What a planner makes of the parts of the two logs that it has read. */
    interface View {
        GroupLogRetention of(List<RunRecord> runLog, List<TrainingEvent> trainingLog);
    }

    record RunRecord(RunEvent event, Instant at) {}

    /** A cut and what it must find again: results not used up then, and all that came later. */
    private record ToldCut(String directory, TreeSet<Long> unused, long end) {}

    private static final class ToldRun {
        private final String runId;
        private final List<ToldCut> cuts = new ArrayList<>();
        private TreeSet<Long> unused = new TreeSet<>();
        private boolean begun;
        private Instant endedAt = Instant.MAX;

        private ToldRun(String runId) {
            this.runId = runId;
        }

        private boolean lives() {
            return endedAt.equals(Instant.MAX);
        }
    }

    RetentionWorld(long seed, View view) {
        // Scattered: seeds in a row would begin with nearly the same numbers.
        this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        this.view = view;
    }

    long trimmed() {
        return trimmed;
    }

    void play(int count) {
        for (int i = 0; i < count; i++) {
            move();
            requireEveryResumePossible();
        }
    }

    private void move() {
        now = now.plus(Duration.ofMinutes(random.nextInt(120)));
        List<ToldRun> living = runs.stream().filter(ToldRun::lives).toList();
        if (living.isEmpty() || living.size() < RUNS && random.nextInt(12) == 0) {
            assign();
            return;
        }
        ToldRun run = living.get(random.nextInt(living.size()));
        if (!run.begun) {
            begin(run);
            return;
        }
        switch (random.nextInt(16)) {
            case 0, 1, 2, 3, 4 -> sample(run);
            case 5, 6, 7, 8 -> useUp(run);
            case 9, 10, 11 -> cut(run);
            case 12 -> resume(run);
            case 13 -> end(run);
            default -> trim();
        }
    }

    private void assign() {
        ToldRun run = new ToldRun("run-" + runs.size());
        runs.add(run);
        told("assign " + run.runId);
        runLog.add(new RunRecord(
                new RunAssigned(run.runId, 1, new TrainerShare("trainer", "a", 1), List.of(), "planned"), now));
    }

    /** A trainer says that it is ready before it asks for groups. */
    private void begin(ToldRun run) {
        told("begin " + run.runId);
        run.begun = true;
        trainingLog.add(new TrainerReady(run.runId, 1, "trainer", 0, "started"));
    }

    private void sample(ToldRun run) {
        told("result " + results.size() + " of " + run.runId);
        run.unused.add((long) results.size());
        results.add(run.runId);
    }

    private void useUp(ToldRun run) {
        run.unused.removeIf(offset -> random.nextBoolean());
    }

    private void cut(ToldRun run) {
        long end = results.size();
        ToldCut cut = new ToldCut("cut-" + trainingLog.size(), new TreeSet<>(run.unused), end);
        long groupsOffset = run.unused.isEmpty() ? end : run.unused.first();
        told("%s of %s from %d".formatted(cut.directory, run.runId, groupsOffset));
        trainingLog.add(new CheckpointSaved(
                run.runId, 1, 1, 1, 1, cut.directory, "", false, 0, 0, List.of(), groupsOffset, 0, ""));
        run.cuts.add(cut);
        while (run.cuts.size() > KEPT_CUTS) {
            trainingLog.add(new CheckpointRetired(run.runId, 1, 1, run.cuts.removeFirst().directory));
        }
    }

    private void resume(ToldRun run) {
        if (run.cuts.isEmpty()) {
            return;
        }
        ToldCut cut = run.cuts.get(random.nextInt(run.cuts.size()));
        told("resume " + run.runId + " from " + cut.directory);
        run.unused = found(run, cut.unused, cut.end);
    }

    private void end(ToldRun run) {
        told("end " + run.runId);
        run.endedAt = now;
        runLog.add(new RunRecord(new RunFailed(run.runId, "enough", null), now));
    }

    private void trim() {
        List<RunRecord> runsRead = random.nextBoolean() ? runLog : prefix(runLog);
        List<TrainingEvent> trainingRead = random.nextBoolean() ? trainingLog : prefix(trainingLog);
        long below = view.of(runsRead, trainingRead).deletableBelow(now).getOrDefault(0, 0L);
        told("trim below %d, having read %d of %d and %d of %d"
                .formatted(below, runsRead.size(), runLog.size(), trainingRead.size(), trainingLog.size()));
        require(below <= results.size(), "more is deleted than there is");
        trimmed = Math.max(trimmed, below);
    }

    private <T> List<T> prefix(List<T> log) {
        return log.subList(0, random.nextInt(log.size() + 1));
    }

    private void requireEveryResumePossible() {
        for (ToldRun run : runs) {
            if (run.lives() || Duration.between(run.endedAt, now).compareTo(KEEP) < 0) {
                run.cuts.forEach(cut -> requireThere(run, found(run, cut.unused, cut.end)));
                if (run.cuts.isEmpty()) {
                    requireThere(run, found(run, new TreeSet<>(), 0));
                }
            }
        }
    }

    private TreeSet<Long> found(ToldRun run, TreeSet<Long> unused, long end) {
        TreeSet<Long> found = new TreeSet<>(unused);
        for (int offset = (int) end; offset < results.size(); offset++) {
            if (results.get(offset).equals(run.runId)) {
                found.add((long) offset);
            }
        }
        return found;
    }

    private void requireThere(ToldRun run, TreeSet<Long> needed) {
        require(
                needed.isEmpty() || needed.first() >= trimmed,
                "%s needs %s, and the log begins at %d".formatted(run.runId, needed, trimmed));
    }

    private void told(String what) {
        moves.add(what);
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise + "\n  " + String.join("\n  ", moves));
        }
    }

    /** One partition for all runs, everything that was read taken in. */
    static GroupLogRetention faithful(List<RunRecord> runLog, List<TrainingEvent> trainingLog) {
        GroupLogRetention retention = new GroupLogRetention(KEEP, runId -> 0);
        runLog.forEach(record -> retention.apply(record.event(), record.at()));
        trainingLog.forEach(retention::apply);
        return retention;
    }
}
