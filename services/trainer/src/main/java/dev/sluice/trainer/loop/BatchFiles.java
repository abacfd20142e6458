package dev.sluice.trainer.loop;

import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.events.Rollout;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/** Batches as files for the worker. */
final class BatchFiles {
    private static final String LOGPROBS = "logprobs";

    private final TrainedRun run;
    private final Duration callDeadline;

    BatchFiles(TrainedRun run, Duration callDeadline) {
        this.run = run;
        this.callDeadline = callDeadline;
    }

    /** Writes a step's batch, with the columns that its loss needs and the worker computes. */
    Path write(int step, BatchRows rows, Worker worker) {
        Path file = run.folders().batch(step);
        BatchFile.write(file, batch(step, rows, Map.of()));
        Map<Batch.Column, float[]> columns = new EnumMap<>(Batch.Column.class);
        if (Objective.oldLogprobs(run.request()) == LossConfig.OldLogprobs.BATCH) {
            columns.put(Batch.Column.OLD_LOGPROBS, logprobs(file, worker, ModelRole.POLICY));
        }
        if (Objective.needsReference(run.request())) {
            columns.put(Batch.Column.REF_LOGPROBS, logprobs(file, worker, ModelRole.REFERENCE));
        }
        if (!columns.isEmpty()) {
            BatchFile.write(file, batch(step, rows, columns));
        }
        return file;
    }

    /** Log-probabilities of a batch's tokens by the worker's model; nothing is trained. */
    float[] heldOutLogprobs(BatchRows rows, Worker worker) {
        Path file = run.folders().batches().resolve("held-out-" + UUID.randomUUID() + ".safetensors");
        try {
            BatchFile.write(file, batch(0, rows, Map.of()));
            return logprobs(file, worker, ModelRole.POLICY);
        } finally {
            delete(file);
        }
    }

    private float[] logprobs(Path batch, Worker worker, ModelRole model) {
        String id = UUID.randomUUID().toString();
        Path out = batch.resolveSibling(batch.getFileName() + "." + id + ".out");
        ForwardRequest request = new ForwardRequest(
                run.epoch(),
                "forward-" + id,
                batch.toString(),
                model,
                Set.of(ForwardRequest.Want.LOGPROBS),
                out.toString());
        worker.client().forward(request, callDeadline);
        try (SafetensorsFile file = SafetensorsFile.open(out)) {
            var values = file.data(LOGPROBS).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            float[] column = new float[values.remaining()];
            values.get(column);
            return column;
        } finally {
            delete(out);
        }
    }

    private Batch batch(int step, BatchRows rows, Map<Batch.Column, float[]> columns) {
        Rollout rollout = run.request().rollout();
        boolean sampled = run.kind().samples();
        Batch.Header header = new Batch.Header(
                run.runId(),
                step,
                run.epoch(),
                sampled ? rollout.temperature() : 1,
                sampled ? rollout.topP() : 1,
                sampled ? Math.max(0, rollout.topK()) : 0,
                Objective.normaliser(run.request()));
        return new Batch(
                header,
                rows.tokens(),
                rows.cuSeqlens(),
                rows.promptLengths(),
                rows.sampleIds(),
                rows.groups(),
                rows.lossDenominators(),
                rows.truncated(),
                rows.lossMask(),
                rows.advantages(),
                rows.rolloutLogprobs(),
                rows.weightVersions(),
                rows.schedule(),
                columns);
    }

    /**
     * Whether a batch file that a worker trained on is the logged one: found by its hash among the files of all epochs, and
     * holding the content that the log names.
     */
    boolean isLogged(int step, String fileSha256, String contentSha256) {
        return filesOf(step).stream()
                .filter(file -> BatchFile.sha256(file).equals(fileSha256))
                .anyMatch(file -> contentOf(file).filter(contentSha256::equals).isPresent());
    }

    private static Optional<String> contentOf(Path file) {
        try {
            Batch batch = BatchFile.read(file);
            return Optional.of(new BatchRows(
                            batch.tokens(),
                            batch.cuSeqlens(),
                            batch.promptLengths(),
                            batch.sampleIds(),
                            batch.groups(),
                            batch.lossDenominators(),
                            batch.truncated(),
                            batch.lossMask(),
                            batch.advantages(),
                            batch.rolloutLogprobs(),
                            batch.weightVersions(),
                            batch.schedule())
                    .sha256());
        } catch (WorkerException e) {
            return Optional.empty();
        }
    }

    /** Removes batches that no cut needs: a living worker at the cut's step is recognised by that step's batch. */
    void removeBefore(int step) {
        for (Path epoch : list(run.folders().allBatches())) {
            for (Path file : list(epoch)) {
                if (file.getFileName()
                                .toString()
                                .compareTo(
                                        run.folders().batch(step).getFileName().toString())
                        < 0) {
                    delete(file);
                }
            }
        }
    }

    private List<Path> filesOf(int step) {
        String name = run.folders().batch(step).getFileName().toString();
        return list(run.folders().allBatches()).stream()
                .map(epoch -> epoch.resolve(name))
                .filter(Files::isRegularFile)
                .toList();
    }

    private static List<Path> list(Path directory) {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + directory, e);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + file, e);
        }
    }
}
