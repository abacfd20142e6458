package dev.sluice.trainer.loop;

import dev.sluice.domain.training.AdvantageRule;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.ModelScores;
import dev.sluice.domain.training.TokenAdvantages;
import dev.sluice.events.Rollout;
import dev.sluice.trainer.metrics.ModelFigures;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/** Batches as files for the worker. */
final class BatchFiles {
    private final TrainedRun run;
    private final Duration callDeadline;

    BatchFiles(TrainedRun run, Duration callDeadline) {
        this.run = run;
        this.callDeadline = callDeadline;
    }

    /**
     * A step's batch, ready for training.
     *
     * @param figures of what models said of it, by their wire names
     */
    record Written(Path file, Map<String, Double> figures) {}

    /**
     * Writes a step's batch, with the columns that its loss needs and the advantages that models make of its rewards.
     *
     * @param given columns that the worker does not compute
     */
    Written write(int step, BatchRows rows, Map<Batch.Column, float[]> given, Worker worker) {
        Path file = run.folders().batch(step);
        BatchFile.write(file, batch(step, rows, rows.advantages(), Map.of()));
        List<ModelPasses.Pass> passes = ModelPasses.of(run.request());
        if (passes.isEmpty() && given.isEmpty()) {
            return new Written(file, Map.of());
        }
        Map<Batch.Column, float[]> columns = ModelPasses.columns(passes, file, run.epoch(), worker, callDeadline);
        columns.putAll(given);
        TokenAdvantages advantages = AdvantageRule.of(run.request().algorithm())
                .of(
                        rows,
                        new ModelScores(
                                columns.getOrDefault(Batch.Column.OLD_LOGPROBS, rows.rolloutLogprobs()),
                                columns.get(Batch.Column.REF_LOGPROBS),
                                columns.get(Batch.Column.TEACHER_LOGPROBS),
                                columns.get(Batch.Column.VALUES)));
        if (advantages.returns() != null) {
            columns.put(Batch.Column.RETURNS, advantages.returns());
        }
        BatchFile.write(file, batch(step, rows, advantages.advantages(), columns));
        return new Written(file, ModelFigures.of(rows, advantages, columns.get(Batch.Column.VALUES)));
    }

    /** Log-probabilities of a batch's tokens by the worker's model; nothing is trained. */
    float[] heldOutLogprobs(BatchRows rows, Worker worker) {
        Path file = run.folders().batches().resolve("held-out-" + UUID.randomUUID() + ".safetensors");
        try {
            BatchFile.write(file, batch(0, rows, rows.advantages(), Map.of()));
            ModelPasses.Pass pass =
                    new ModelPasses.Pass(ModelRole.POLICY, ForwardRequest.Want.LOGPROBS, Batch.Column.OLD_LOGPROBS);
            return Objects.requireNonNull(ModelPasses.columns(List.of(pass), file, run.epoch(), worker, callDeadline)
                    .get(pass.column()));
        } finally {
            delete(file);
        }
    }

    private Batch batch(int step, BatchRows rows, float[] advantages, Map<Batch.Column, float[]> columns) {
        Rollout rollout = run.request().rollout();
        boolean sampled = run.kind().samples();
        Batch.Header header = new Batch.Header(
                run.runId(),
                step,
                run.epoch(),
                sampled ? rollout.temperature() : 1,
                sampled ? rollout.topP() : 1,
                sampled ? Math.max(0, rollout.topK()) : 0,
                Objective.normaliser(run.request()),
                rows.sha256());
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
                advantages,
                rows.rolloutLogprobs(),
                rows.weightVersions(),
                rows.schedule(),
                columns);
    }

    /**
     * Whether a batch file that a worker trained on is the logged one: found by its hash among the files of all epochs, and
     * made of the content that the log names.
     */
    boolean isLogged(int step, String fileSha256, String contentSha256) {
        return filesOf(step).stream()
                .filter(file -> BatchFile.sha256(file).equals(fileSha256))
                .anyMatch(file -> contentOf(file).filter(contentSha256::equals).isPresent());
    }

    /** A column that was computed before a crash for the same tokens, cut into micro-batches in whatever way. */
    Optional<float[]> column(int step, BatchRows rows, Batch.Column column) {
        return filesOf(step).stream()
                .flatMap(file -> read(file).stream())
                .filter(batch -> Arrays.equals(batch.tokens(), rows.tokens())
                        && Arrays.equals(batch.cuSeqlens(), rows.cuSeqlens()))
                .flatMap(batch -> Optional.ofNullable(batch.column(column)).stream())
                .findFirst();
    }

    private static Optional<String> contentOf(Path file) {
        return read(file).map(batch -> batch.header().contentSha256());
    }

    private static Optional<Batch> read(Path file) {
        try {
            return Optional.of(BatchFile.read(file));
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
