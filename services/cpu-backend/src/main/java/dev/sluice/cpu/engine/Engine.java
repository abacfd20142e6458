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
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A loaded model with its schedulers: everything of an engine but its HTTP API. */
final class Engine implements AutoCloseable {
    private static final Set<DType> LOADABLE = EnumSet.of(DType.F32, DType.BF16, DType.F16);
    private static final long MAX_CACHE_BYTES = 4L << 30;

    private static final Logger LOG = System.getLogger(Engine.class.getName());

    private final EngineOptions options;
    private final EngineEnvironment environment;
    private final Weights weights;
    private final @Nullable Tokenizer tokenizer;
    private final List<Generator> generators = new ArrayList<>();
    private final Ranks ranks;
    private final ChatFormat chatFormat;
    private final TokenJournal journal;
    private final int contextLength;
    private volatile String modelPath;
    private Startup startup = new Startup(0, 0);

    /** How long the start took. */
    record Startup(double wholeSeconds, double weightSeconds) {}

    private Engine(EngineOptions options, EngineEnvironment environment, Weights weights, Consumer<Throwable> crashed)
            throws IOException {
        ModelConfig config = weights.config();
        this.options = options;
        this.environment = environment;
        this.weights = weights;
        this.modelPath = options.modelPath().toString();
        this.contextLength = contextLength(options, config);
        this.tokenizer = options.skipTokenizer() ? null : Tokenizer.open(options.tokenizerPath());
        this.chatFormat = ChatFormat.of(options.tokenizerPath());
        this.journal = TokenJournal.open(environment.journal());
        Set<Integer> endTokens = new HashSet<>(config.endTokens());
        if (tokenizer != null) {
            endTokens.addAll(tokenizer.endOfSequenceIds());
        }
        this.ranks = ranks(new StopCheck(Set.copyOf(endTokens), tokenizer), crashed);
    }

    private Ranks ranks(StopCheck stops, Consumer<Throwable> crashed) {
        DataParallel parallel = options.dataParallel();
        int chunk = parallel.share(options.prefillChunk());
        for (int rank = 0; rank < parallel.ranks(); rank++) {
            Generator generator = new Generator(
                    weights,
                    new Generator.Settings(
                            options.rows(), contextLength, chunk, options.draftSteps(), options.drawsDrafts()));
            if (options.warmup()) {
                Warmup.run(generator, contextLength);
            }
            generators.add(generator);
        }
        LiveRequests live = new LiveRequests();
        List<Scheduler> schedulers = new ArrayList<>();
        for (int rank = 0; rank < parallel.ranks(); rank++) {
            Scheduler.Setup setup = new Scheduler.Setup(
                    parallel.ranks() == 1 ? null : rank,
                    options.weightVersion(),
                    stops,
                    live,
                    journal,
                    new Meter(options.draftSteps()),
                    options.rows() * contextLength);
            schedulers.add(new Scheduler(generators.get(rank), setup, crashed));
        }
        return new Ranks(schedulers, parallel.balance());
    }

    /**
     * Loads the model and starts the schedulers.
     *
     * @param crashed told of an error that ended a scheduler
     * @throws IOException if the tokenizer or the journal cannot be opened
     * @throws CheckpointException if the weights cannot be read
     * @throws IllegalArgumentException if the model is not one this engine computes, or does not fit
     */
    static Engine load(EngineOptions options, EngineEnvironment environment, Consumer<Throwable> crashed)
            throws IOException {
        long start = System.nanoTime();
        Tensors.useOneThread();
        Path directory = environment.modelDirectory(options.modelPath().toString());
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(directory)) {
            Weights weights = Weights.load(checkpoint, options.type());
            double weightSeconds = (System.nanoTime() - start) / 1e9;
            if (options.draftSteps() > 0 && weights.config().mtpLayers() == 0) {
                throw new IllegalArgumentException("--speculative-algorithm needs a multi-token-prediction layer, but "
                        + directory + " has none; leave the flag out or give a checkpoint with that layer");
            }
            Engine engine = new Engine(options, environment, weights, crashed);
            engine.startup = new Startup((System.nanoTime() - start) / 1e9, weightSeconds);
            return engine;
        }
    }

    Startup startup() {
        return startup;
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

    ChatFormat chatFormat() {
        return chatFormat;
    }

    Ranks ranks() {
        return ranks;
    }

    /** Bytes of one rank's caches. */
    long cacheBytes() {
        return generators.getFirst().cacheBytes();
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

    /** Copies new weights over those that run. Called while all ranks are stopped; on failure nothing is changed. */
    void replaceWeights(HuggingFaceCheckpoint checkpoint, String path) {
        long start = System.nanoTime();
        try {
            weights.putAll(checkpoint.tensors(), checkpoint::data);
        } catch (IllegalArgumentException e) {
            throw new RequestException("Failed to load weights: " + e.getMessage());
        }
        modelPath = path;
        double seconds = (System.nanoTime() - start) / 1e9;
        ranks.all().forEach(rank -> rank.weightsLoaded(seconds));
        LOG.log(Level.INFO, "weights loaded: path={0} seconds={1}", path, seconds);
    }

    private static int contextLength(EngineOptions options, ModelConfig config) {
        Integer asked = options.contextLength();
        int length = asked == null ? config.maxPositions() : asked;
        if (length < 2 || length > config.maxPositions()) {
            throw new IllegalArgumentException("--context-length is " + length + "; the model's positions end at "
                    + config.maxPositions() + " (max_position_embeddings)");
        }
        long requests = (long) options.rows() * options.dataParallel().ranks();
        long layers = config.layers() + (options.draftSteps() > 0 ? 1 : 0);
        long bytes = layers * requests * length * config.attention().cacheWidth() * torch.elementSize(options.type());
        if (bytes > MAX_CACHE_BYTES) {
            throw new IllegalArgumentException("Not enough memory. The cache of " + requests
                    + " requests x " + length + " tokens needs " + (bytes >> 20) + " MiB, more than "
                    + (MAX_CACHE_BYTES >> 20) + "; lower --max-running-requests or --context-length");
        }
        return length;
    }

    @Override
    public void close() {
        ranks.close();
        generators.forEach(Generator::close);
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
