package dev.sluice.cpu.engine;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A loaded model with its scheduler: everything of an engine but its HTTP API. */
final class Engine implements AutoCloseable {
    private static final Set<DType> LOADABLE = EnumSet.of(DType.F32, DType.BF16, DType.F16);
    private static final long MAX_CACHE_BYTES = 4L << 30;

    private static final Logger LOG = System.getLogger(Engine.class.getName());

    private final EngineOptions options;
    private final EngineEnvironment environment;
    private final Weights weights;
    private final @Nullable Tokenizer tokenizer;
    private final Generator generator;
    private final Scheduler scheduler;
    private final TokenJournal journal;
    private final int contextLength;
    private volatile String modelPath;

    private Engine(EngineOptions options, EngineEnvironment environment, Weights weights, Consumer<Throwable> crashed)
            throws IOException {
        ModelConfig config = weights.config();
        this.options = options;
        this.environment = environment;
        this.weights = weights;
        this.modelPath = options.modelPath().toString();
        this.contextLength = contextLength(options, config);
        this.tokenizer = options.skipTokenizer() ? null : Tokenizer.open(options.tokenizerPath());
        this.journal = TokenJournal.open(environment.journal());
        this.generator = new Generator(
                weights,
                new Generator.Settings(
                        options.maxRunning(), contextLength, options.prefillChunk(), options.draftSteps()));
        if (options.warmup()) {
            Warmup.run(generator, contextLength);
        }
        Set<Integer> endTokens = new HashSet<>(config.endTokens());
        if (tokenizer != null) {
            endTokens.addAll(tokenizer.endOfSequenceIds());
        }
        Scheduler.Setup setup = new Scheduler.Setup(
                options.weightVersion(),
                new StopCheck(Set.copyOf(endTokens), tokenizer),
                journal,
                new Meter(options.draftSteps()),
                options.maxRunning() * contextLength);
        this.scheduler = new Scheduler(generator, setup, crashed);
    }

    /**
     * Loads the model and starts the scheduler.
     *
     * @param crashed told of an error that ended the scheduler
     * @throws IOException if the tokenizer or the journal cannot be opened
     * @throws CheckpointException if the weights cannot be read
     * @throws IllegalArgumentException if the model is not one this engine computes, or does not fit
     */
    static Engine load(EngineOptions options, EngineEnvironment environment, Consumer<Throwable> crashed)
            throws IOException {
        Tensors.useOneThread();
        Path directory = environment.modelDirectory(options.modelPath().toString());
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(directory)) {
            Weights weights = Weights.load(checkpoint);
            if (options.draftSteps() > 0 && weights.config().mtpLayers() == 0) {
                throw new IllegalArgumentException("--speculative-algorithm needs a multi-token-prediction layer, but "
                        + directory + " has none; leave the flag out or give a checkpoint with that layer");
            }
            return new Engine(options, environment, weights, crashed);
        }
    }

    EngineOptions options() {
        return options;
    }

    ModelConfig config() {
        return weights.config();
    }

    int contextLength() {
        return contextLength;
    }

    /** Where the weights were last loaded from. */
    String modelPath() {
        return modelPath;
    }

    @Nullable
    Tokenizer tokenizer() {
        return tokenizer;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    long cacheBytes() {
        return generator.cacheBytes();
    }

    Weights weights() {
        return weights;
    }

    /**
     * Opens a directory whose weights are to replace those that run, checking all that can be checked without touching them.
     *
     * @throws RequestException saying what does not fit
     */
    HuggingFaceCheckpoint openReplacement(String path) {
        Path directory = environment.modelDirectory(path);
        HuggingFaceCheckpoint checkpoint;
        try {
            checkpoint = HuggingFaceCheckpoint.open(directory);
        } catch (CheckpointException e) {
            throw new RequestException("Failed to load weights: " + e.getMessage());
        }
        try {
            ModelConfig replacement = ModelConfig.of(checkpoint.config());
            ModelConfig comparable = config().mtpLayers() == 0 ? replacement.withoutMtp() : replacement;
            if (!comparable.equals(config())) {
                throw new RequestException("Failed to load weights: config.json in " + directory
                        + " describes another model (" + comparable + ") than the one that runs (" + config() + ").");
            }
            for (TensorEntry tensor : checkpoint.tensors().values()) {
                if (!LOADABLE.contains(tensor.dtype())) {
                    throw new RequestException("Failed to load weights: " + tensor.name() + " is " + tensor.dtype()
                            + "; this engine loads " + LOADABLE + ".");
                }
            }
            return checkpoint;
        } catch (RequestException e) {
            checkpoint.close();
            throw e;
        } catch (IllegalArgumentException e) {
            checkpoint.close();
            throw new RequestException("Failed to load weights: " + e.getMessage());
        }
    }

    /** Copies new weights over those that run. Called in the scheduler's thread; on failure nothing is changed. */
    void replaceWeights(HuggingFaceCheckpoint checkpoint, String path) {
        long start = System.nanoTime();
        try {
            weights.putAll(checkpoint.tensors(), checkpoint::data);
        } catch (IllegalArgumentException e) {
            throw new RequestException("Failed to load weights: " + e.getMessage());
        }
        modelPath = path;
        double seconds = (System.nanoTime() - start) / 1e9;
        scheduler.weightsLoaded(seconds);
        LOG.log(Level.INFO, "weights loaded: path={0} seconds={1}", path, seconds);
    }

    private static int contextLength(EngineOptions options, ModelConfig config) {
        Integer asked = options.contextLength();
        int length = asked == null ? config.maxPositions() : asked;
        if (length < 2 || length > config.maxPositions()) {
            throw new IllegalArgumentException("--context-length is " + length + "; the model's positions end at "
                    + config.maxPositions() + " (max_position_embeddings)");
        }
        long layers = config.layers() + (options.draftSteps() > 0 ? 1 : 0);
        long bytes = layers * options.maxRunning() * length * config.attention().cacheWidth() * Float.BYTES;
        if (bytes > MAX_CACHE_BYTES) {
            throw new IllegalArgumentException("Not enough memory. The cache of " + options.maxRunning()
                    + " requests x " + length + " tokens needs " + (bytes >> 20) + " MiB, more than "
                    + (MAX_CACHE_BYTES >> 20) + "; lower --max-running-requests or --context-length");
        }
        return length;
    }

    @Override
    public void close() {
        scheduler.close();
        generator.close();
        weights.close();
        if (tokenizer != null) {
            tokenizer.close();
        }
        try {
            journal.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
