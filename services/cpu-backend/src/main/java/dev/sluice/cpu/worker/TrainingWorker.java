package dev.sluice.cpu.worker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceWriter;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.Progress;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.WeightCopies;
import dev.sluice.cpu.model.WeightSource;
import dev.sluice.cpu.model.Weights;
import dev.sluice.events.Float32Array;
import dev.sluice.http.Json;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.ForwardResult;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LoadResult;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.MemoryMoved;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.TrainMetrics;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The models of a run and what can be done with them. Every method but {@link #standing} belongs to the one thread that
 * computes.
 */
final class TrainingWorker {
    private final AllowedRoots roots;
    private final MemoryLimit memory;
    private @Nullable Policy policy;
    private @Nullable Policy critic;
    private final Map<ModelRole, Model> frozen = new EnumMap<>(ModelRole.class);
    private boolean referenceRenewed;
    private volatile Standing standing = Standing.EMPTY;

    TrainingWorker(AllowedRoots roots, MemoryLimit memory) {
        this.roots = roots;
        this.memory = memory;
    }

    /**
     * How far the worker is, for {@code /health}.
     *
     * @param step -1 until something is loaded
     * @param batchSha256 of the last batch trained on since the load
     * @param weightVersion of the last export; -1 where there is none
     */
    record Standing(
            @Nullable String runId, int step, @Nullable String batchSha256, int weightVersion) {
        static final Standing EMPTY = new Standing(null, -1, null, -1);

        boolean isLoaded() {
            return step >= 0;
        }
    }

    Standing standing() {
        return standing;
    }

    LoadResult load(LoadRequest request, Progress progress) {
        long start = System.nanoTime();
        JsonNode config = config(roots.existing(request.hfConfig()));
        unload();
        int step = 0;
        if (request.resumeFrom() != null) {
            Cut.Resumed resumed = Cut.read(roots.existing(request.resumeFrom()), config);
            policy = resumed.policy();
            step = resumed.cut().step();
            critic = request.critic() == null ? null : Cut.readCritic(roots.existing(request.resumeFrom()), config);
        } else {
            policy = Policy.of(config, Policy.weights(config, roots.existing(request.checkpoint())));
            critic = request.critic() == null
                    ? null
                    : Policy.critic(config, Policy.weights(config, roots.existing(request.critic())));
        }
        loadReference(request, config);
        loadFrozen(ModelRole.TEACHER, request.teacher(), config);
        standing = new Standing(request.runId(), step, null, -1);
        progress.at(1, 1);
        Weights weights = policy.weights();
        return new LoadResult(
                step,
                weights.parameters(),
                weights.config().mtpLayers() == 1,
                seconds(start),
                WeightsHash.sha256(models()));
    }

    ForwardResult forward(ForwardRequest request) {
        long start = System.nanoTime();
        boolean values = request.model() == ModelRole.CRITIC;
        if (request.want().isEmpty() || request.want().contains(ForwardRequest.Want.VALUES) != values) {
            throw new WorkerException(
                    WorkerErrorCode.UNSUPPORTED,
                    "want is " + request.want() + " of the "
                            + request.model().name().toLowerCase(Locale.ROOT),
                    "ask a critic for values alone, and other models for logprobs, entropy or both");
        }
        Model model = model(request.model());
        Path out = roots.absent(request.out());
        Batch batch = BatchFile.read(roots.existing(request.batch()));
        List<TensorSource> tensors = new ArrayList<>();
        if (values) {
            tensors.add(ColumnSource.of("values", new BatchScorer(model).values(batch)));
        } else {
            BatchScorer.Columns columns = new BatchScorer(model).score(batch);
            if (request.want().contains(ForwardRequest.Want.LOGPROBS)) {
                tensors.add(ColumnSource.of("logprobs", columns.logprobs()));
            }
            if (request.want().contains(ForwardRequest.Want.ENTROPY)) {
                tensors.add(ColumnSource.of("entropy", columns.entropy()));
            }
        }
        SafetensorsWriter.write(out, tensors, Map.of());
        return new ForwardResult(out.toString(), BatchFile.sha256(out), batch.tokens().length, seconds(start));
    }

    TrainResult train(TrainRequest request) {
        long start = System.nanoTime();
        Policy trained = policy();
        if (request.model() != ModelRole.POLICY && (request.model() != ModelRole.CRITIC || critic == null)) {
            throw new WorkerException(
                    WorkerErrorCode.NOT_LOADED,
                    "no " + request.model().name().toLowerCase(Locale.ROOT) + " is loaded that could be trained",
                    "train the policy, or name a critic in /load");
        }
        if (request.step() != standing.step() + 1) {
            throw new WorkerException(
                    WorkerErrorCode.STEP_OUT_OF_ORDER,
                    "step " + request.step() + " was asked for but " + standing.step() + " steps are trained",
                    "send step " + (standing.step() + 1) + ", or load the cut before step " + request.step());
        }
        Path file = roots.existing(request.batch());
        String sha256 = BatchFile.sha256(file);
        Batch batch = BatchFile.read(file);
        refuseOther(batch.header(), request);
        if (request.renewReference()) {
            model(ModelRole.REFERENCE); // refuses before anything is trained
        }
        long before = optimizerSteps();
        try {
            TrainResult result = train(request, trained, batch, sha256, start);
            if (request.renewReference()) {
                model(ModelRole.REFERENCE).weights().copyFrom(trained.weights());
                referenceRenewed = true;
            }
            standing = new Standing(standing.runId(), request.step(), sha256, standing.weightVersion());
            return result;
        } catch (RuntimeException e) {
            if (optimizerSteps() != before) {
                // Some optimizer steps of the batch are in the weights: they are no step's any more.
                unload();
            }
            throw e;
        }
    }

    /** The critic learns first: its values of before are in the batch. */
    private TrainResult train(TrainRequest request, Policy trained, Batch batch, String sha256, long start) {
        PolicyTrainer trainer = new PolicyTrainer(trained.model(), trained.optimizer(), memory);
        if (request.model() == ModelRole.POLICY) {
            trainer.refuseMisfit(batch, request.loss());
        }
        TrainMetrics.Critic ofCritic = critic == null ? null : trainCritic(critic, batch, request.loss());
        StepSums sums = request.model() == ModelRole.POLICY
                ? trainer.train(batch, request.loss())
                : new StepSums(batch.tokens().length);
        return new TrainResult(
                request.step(),
                sha256,
                sums.metrics(batch, seconds(start), ofCritic),
                Float32Array.of(sums.logprobs()),
                WeightsHash.sha256(models()));
    }

    private static TrainMetrics.Critic trainCritic(Policy critic, Batch batch, LossConfig loss) {
        if (loss.critic() == null) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST,
                    "a critic is loaded but the loss says nothing of it",
                    "give loss.critic, or load without a critic");
        }
        return new CriticTrainer(critic).train(batch, loss, loss.critic());
    }

    /** What is trained: the policy, and a critic where there is one. */
    private List<Weights> models() {
        return Stream.of(policy, critic)
                .filter(Objects::nonNull)
                .map(Policy::weights)
                .toList();
    }

    /** Optimizer steps of both models, which tell whether something was trained. */
    private long optimizerSteps() {
        return (policy == null ? 0 : policy.optimizer().steps())
                + (critic == null ? 0 : critic.optimizer().steps());
    }

    FilesWritten export(ExportRequest request) {
        long start = System.nanoTime();
        DType dtype = switch (request.dtype()) {
            case "float32" -> DType.F32;
            case "bfloat16" -> DType.BF16;
            default ->
                throw new WorkerException(
                        WorkerErrorCode.INVALID_REQUEST, "dtype is " + request.dtype(), "use float32 or bfloat16");
        };
        Policy source = policy();
        Path directory = roots.absent(request.dir());
        ObjectNode config = source.config().deepCopy();
        config.remove("torch_dtype");
        config.put("dtype", request.dtype());
        List<WeightSource> tensors = WeightSource.all(source.weights(), dtype);
        HuggingFaceWriter.write(directory, config, tensors, HuggingFaceWriter.DEFAULT_SHARD_BYTES);
        FilesWritten written = written(directory, Manifest.write(directory), start);
        standing = new Standing(standing.runId(), standing.step(), standing.batchSha256(), request.version());
        return written;
    }

    /** Moves nothing: models lie in the host's memory, which engines do not wait for. */
    MemoryMoved stay() {
        policy();
        long used = memory.used();
        return new MemoryMoved(0, used, used, 0);
    }

    /** @return what was written, or the {@link Operations.Rest} that writes a copy */
    Object save(SaveRequest request, Progress progress) {
        long start = System.nanoTime();
        Policy saved = policy();
        Path directory = roots.absent(request.dir());
        if (!request.asynchronous()) {
            return written(directory, Cut.write(directory, models(saved, UnaryOperator.identity()), progress), start);
        }
        WeightCopies copies = new WeightCopies();
        Cut.Models taken = models(saved, copies::of);
        return (Operations.Rest) later -> {
            try (copies) {
                return written(directory, Cut.write(directory, taken, later), start);
            }
        };
    }

    private Cut.Models models(Policy saved, UnaryOperator<List<WeightSource>> taken) {
        Cut cut = new Cut(standing.step(), saved.optimizer().steps());
        Policy judge = critic;
        return new Cut.Models(
                cut.content(saved, taken),
                judge == null
                        ? null
                        : new Cut(standing.step(), judge.optimizer().steps()).content(judge, taken),
                referenceRenewed
                        ? cut.frozen(saved.config(), model(ModelRole.REFERENCE).weights(), taken)
                        : null);
    }

    /** A reference that was the policy of an earlier step is part of the cut. */
    private void loadReference(LoadRequest request, JsonNode config) {
        Path renewed = request.resumeFrom() == null ? null : Cut.reference(roots.existing(request.resumeFrom()));
        referenceRenewed = request.reference() != null && renewed != null;
        loadFrozen(
                ModelRole.REFERENCE,
                request.reference() == null || renewed == null ? request.reference() : renewed.toString(),
                config);
    }

    private void loadFrozen(ModelRole role, @Nullable String directory, JsonNode config) {
        if (directory != null) {
            frozen.put(role, new Model(Policy.weights(config, roots.existing(directory))));
        }
    }

    private Model model(ModelRole role) {
        Policy trained = role == ModelRole.POLICY ? policy : role == ModelRole.CRITIC ? critic : null;
        Model model = trained == null ? frozen.get(role) : trained.model();
        if (model == null) {
            throw new WorkerException(
                    WorkerErrorCode.NOT_LOADED,
                    "no " + role.name().toLowerCase(Locale.ROOT) + " is loaded",
                    "name it in /load");
        }
        return model;
    }

    private Policy policy() {
        if (policy == null) {
            throw new WorkerException(WorkerErrorCode.NOT_LOADED, "no policy is loaded", "call /load first");
        }
        return policy;
    }

    private void refuseOther(Batch.Header header, TrainRequest request) {
        if (!header.runId().equals(standing.runId()) || header.step() != request.step()) {
            throw new WorkerException(
                    WorkerErrorCode.BAD_BATCH,
                    "the batch is of run " + header.runId() + ", step " + header.step() + ", but run "
                            + standing.runId() + " is loaded and step " + request.step() + " was asked for",
                    "send the batch of that step");
        }
    }

    private void unload() {
        if (policy != null) {
            policy.close();
            policy = null;
        }
        if (critic != null) {
            critic.close();
            critic = null;
        }
        frozen.values().forEach(model -> {
            model.close();
            model.weights().close();
        });
        frozen.clear();
        referenceRenewed = false;
        standing = Standing.EMPTY;
    }

    private static JsonNode config(Path directory) {
        try {
            return Json.MAPPER.readTree(directory.resolve("config.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read config.json of " + directory + ": " + e.getMessage(), e);
        }
    }

    private static FilesWritten written(Path directory, String manifestSha256, long start) {
        try (var files = Files.walk(directory)) {
            long bytes = files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
            String manifest = directory.resolve(Manifest.FILE).toString();
            return new FilesWritten(directory.toString(), manifest, manifestSha256, bytes, seconds(start));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + directory, e);
        }
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
