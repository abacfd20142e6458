package dev.sluice.trainer.weights;

import dev.sluice.events.Backend;
import dev.sluice.events.Event;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.events.WeightEvent.WeightsRetired;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.run.DirectoryRemoval;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.FilesWritten;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Publishes weight versions: as files, which it removes when they are old, or without where the worker gives them to engines. */
public final class WeightPublisher {
    private final TrainedRun run;
    private final TrainerConfig config;
    private final Clock clock;
    private final boolean direct;
    private final Map<Integer, Instant> firstSeen = new HashMap<>();
    private final WeightDeltas deltas;
    private @Nullable WeightsPublished last;

    /** @param direct whether versions go from memory to memory, without files */
    public WeightPublisher(TrainedRun run, TrainerConfig config, Clock clock, boolean direct) {
        this.direct = direct;
        this.run = run;
        this.config = config;
        this.clock = clock;
        this.deltas = new WeightDeltas(run);
    }

    /** Version 0: the model as it came; engines hold it already. */
    public WeightsPublished source() {
        return new WeightsPublished(
                run.runId(),
                run.epoch(),
                0,
                0,
                Transport.DISK,
                run.request().model().path(),
                null,
                null);
    }

    /** Whether engines are there to load what is published. */
    public boolean publishes() {
        return run.kind().samples();
    }

    /** Whether a step ends with a publication. */
    public boolean isDue(int step) {
        return publishes() && (step % run.request().weights().everySteps() == 0 || step == run.steps());
    }

    /** Whether versions go from memory to memory, without files. */
    public boolean areDirect() {
        return direct;
    }

    /**
     * Makes a version of the worker's weights, with its files if it has any. The event that comes back is still to be appended.
     *
     * @param supersedes the version that this one replaces, where the worker could not reproduce its bits
     */
    public WeightsPublished publish(Worker worker, int version, int step, @Nullable Integer supersedes) {
        return direct
                ? new WeightsPublished(
                        run.runId(), run.epoch(), version, step, run.plan().transport(), null, null, supersedes)
                : export(worker, version, step, supersedes);
    }

    private WeightsPublished export(Worker worker, int version, int step, @Nullable Integer supersedes) {
        Path directory = run.folders().weights(version);
        FilesWritten written = worker.client()
                .export(
                        new ExportRequest(
                                run.epoch(),
                                // Never an id of before: the worker would answer without writing.
                                "export-e%d-v%d-%s".formatted(run.epoch(), version, UUID.randomUUID()),
                                DirectoryRemoval.prepare(directory).toString(),
                                version,
                                run.plan().backend() == Backend.CPU ? "float32" : "bfloat16"),
                        config.worker().callDeadline());
        WeightsPublished publication = new WeightsPublished(
                run.runId(),
                run.epoch(),
                version,
                step,
                run.request().weights().transport() == Transport.DISK_DELTA ? Transport.DISK_DELTA : Transport.DISK,
                written.dir(),
                written.manifestSha256(),
                supersedes,
                deltas.between(last, directory, version));
        last = publication;
        return publication;
    }

    private static String files(WeightsPublished publication) {
        return Objects.requireNonNull(publication.directory(), "versions without files are not kept");
    }

    /** Retires versions that are neither among the newest nor young: event first, so that nobody begins to load them. */
    public void retireOld(List<WeightsPublished> kept, RunJournal journal) {
        Instant now = clock.instant();
        kept.forEach(publication -> firstSeen.putIfAbsent(publication.version(), now));
        List<WeightsPublished> old = kept.stream()
                .limit(Math.max(0, kept.size() - config.weights().keep()))
                .filter(publication -> firstSeen
                        .get(publication.version())
                        .plus(config.weights().keepFor())
                        .isBefore(now))
                .toList();
        if (old.isEmpty()) {
            return;
        }
        List<Event> events = old.stream()
                .map(publication -> (Event) new WeightsRetired(run.runId(), run.epoch(), publication.version()))
                .toList();
        journal.append(events, null);
        old.forEach(publication -> {
            firstSeen.remove(publication.version());
            DirectoryRemoval.below(run.folders().root(), Path.of(files(publication)));
            if (publication.delta() != null) {
                DirectoryRemoval.below(
                        run.folders().root(), Path.of(publication.delta().directory()));
            }
        });
    }
}
