package dev.sluice.trainer.weights;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.delta.DeltaFigures;
import dev.sluice.checkpoint.delta.DeltaOptions;
import dev.sluice.checkpoint.delta.DeltaWriter;
import dev.sluice.checkpoint.delta.WeightVersion;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightDelta;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.trainer.run.DirectoryRemoval;
import dev.sluice.trainer.run.TrainedRun;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes what changed between one weight version and the next. A delta that cannot be had costs nothing but its saving. */
final class WeightDeltas {
    private static final Logger LOG = LoggerFactory.getLogger(WeightDeltas.class);

    private final TrainedRun run;

    WeightDeltas(TrainedRun run) {
        this.run = run;
    }

    /**
     * The delta from the version before, if the run wants deltas and there is one.
     *
     * @param last the version before, as this trainer wrote it
     * @param directory of the new version, whole
     */
    @Nullable
    WeightDelta between(@Nullable WeightsPublished last, Path directory, int version) {
        if (run.request().weights().transport() != Transport.DISK_DELTA
                || last == null
                || last.directory() == null
                || last.version() != version - 1) {
            return null;
        }
        WeightVersion next = new WeightVersion(version);
        Path stream = run.folders().deltas();
        Path written = next.directory(stream);
        DirectoryRemoval.prepare(written);
        try (HuggingFaceCheckpoint base = HuggingFaceCheckpoint.open(Path.of(last.directory()));
                HuggingFaceCheckpoint whole = HuggingFaceCheckpoint.open(directory)) {
            DeltaFigures figures = DeltaWriter.write(
                    base,
                    whole.tensors().keySet().stream().map(whole::source).toList(),
                    stream,
                    next,
                    DeltaOptions.standard());
            LOG.info(
                    "weights differ runId={} weightVersion={} density={} wireBytes={}",
                    run.runId(),
                    version,
                    "%.4f".formatted(figures.density()),
                    figures.wireBytes());
            return new WeightDelta(last.version(), written.toString(), Manifest.write(written), figures.wireBytes());
        } catch (CheckpointException e) {
            LOG.warn("no delta is published runId={} weightVersion={} error={}", run.runId(), version, e.getMessage());
            DirectoryRemoval.below(run.folders().root(), written);
            return null;
        }
    }
}
