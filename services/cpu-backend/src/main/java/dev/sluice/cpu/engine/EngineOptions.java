package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.LaunchFlags.UsageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * What the launch flags mean to this engine.
 *
 * @param contextLength null means the model's own
 * @param maxRunning sequences that run at once, on all ranks together where they divide it
 * @param maxQueued requests that wait at most
 * @param type of weights and caches
 * @param draftSteps drafted tokens a verification; 0 without speculation
 * @param drawsDrafts whether drafts are drawn from the drafting layer's law and verified against it
 * @param place of this process in an engine of several nodes
 * @param apiKey bearer token that callers must send; null asks none
 * @param flags every flag with its value, for {@code /server_info}
 */
record EngineOptions(
        Path modelPath,
        Path tokenizerPath,
        boolean skipTokenizer,
        String host,
        int port,
        @Nullable Integer contextLength,
        int maxRunning,
        int maxQueued,
        int prefillChunk,
        ScalarType type,
        long seed,
        int draftSteps,
        boolean drawsDrafts,
        DataParallel dataParallel,
        NodePlace place,
        String weightVersion,
        @Nullable String apiKey,
        boolean metrics,
        boolean warmup,
        String logLevel,
        String servedModelName,
        Map<String, @Nullable Object> flags) {

    private static final int DEFAULT_MAX_RUNNING = 64;
    /** SGLang's own value where speculation is on and the flag is not given. */
    private static final int DEFAULT_MAX_RUNNING_SPECULATIVE = 48;

    private static final int DEFAULT_MAX_QUEUED = 16_384;
    private static final int DEFAULT_PREFILL_CHUNK = 512;
    /** SGLang's choice for GLM where only the algorithm is given. */
    private static final int DEFAULT_DRAFT_STEPS = 3;

    private static final int MAX_PORT = 55_535;

    /**
     * Reads the options.
     *
     * @throws UsageException if they contradict each other or ask for what this engine cannot do
     */
    static EngineOptions of(LaunchFlags flags) {
        String modelPath = flags.text("model_path");
        if (modelPath == null) {
            throw new UsageException("the following arguments are required: --model-path/--model");
        }
        if (flags.text("admin_api_key") != null) {
            throw new UsageException("argument --admin-api-key: this engine knows one key; use --api-key");
        }
        int draftSteps = draftSteps(flags);
        int maxRunning = or(
                flags.number("max_running_requests"),
                draftSteps > 0 ? DEFAULT_MAX_RUNNING_SPECULATIVE : DEFAULT_MAX_RUNNING);
        int chunk = or(flags.number("chunked_prefill_size"), DEFAULT_PREFILL_CHUNK);
        int port = or(flags.number("port"), 0);
        require(port >= 0 && port <= MAX_PORT, "argument --port: must be 0 to " + MAX_PORT + ", got " + port);
        require(maxRunning > 0, "argument --max-running-requests: must be above 0, got " + maxRunning);
        String tokenizer = flags.text("tokenizer_path");
        Integer seed = flags.number("random_seed");
        return new EngineOptions(
                Path.of(modelPath),
                Path.of(tokenizer == null ? modelPath : tokenizer),
                flags.isSet("skip_tokenizer_init"),
                text(flags, "host", "127.0.0.1"),
                port,
                flags.number("context_length"),
                maxRunning,
                or(flags.number("max_queued_requests"), DEFAULT_MAX_QUEUED),
                chunk <= 0 ? Integer.MAX_VALUE : chunk,
                type(flags),
                seed == null ? ThreadLocalRandom.current().nextInt(1 << 30) : seed,
                draftSteps,
                drawsDrafts(flags, draftSteps),
                DataParallel.of(flags),
                NodePlace.of(flags),
                text(flags, "weight_version", "default"),
                flags.text("api_key"),
                flags.isSet("enable_metrics"),
                !flags.isSet("skip_server_warmup"),
                text(flags, "log_level", "info"),
                text(flags, "served_model_name", modelPath),
                flags.values());
    }

    /** Whether replies in OpenAI's shapes count cached prompt tokens. */
    boolean reportsCache() {
        return Boolean.TRUE.equals(flags.get("enable_cache_report"));
    }

    /** Whether frames of streams carry only what is new. */
    boolean streamsIncrements() {
        return Boolean.TRUE.equals(flags.get("incremental_streaming_output"));
    }

    /** Sequences that run at once on one rank. */
    int rows() {
        return dataParallel.share(maxRunning);
    }

    private static ScalarType type(LaunchFlags flags) {
        String dtype = text(flags, "dtype", "auto");
        return switch (dtype) {
            case "auto", "float", "float32" -> ScalarType.Float;
            case "bfloat16" -> ScalarType.BFloat16;
            default ->
                throw new UsageException("argument --dtype: this engine computes in float32 (auto) or bfloat16, got "
                        + dtype + "; float16 is slow on processors");
        };
    }

    /**
     * Tokens of every context that are kept free for drafts: SGLang stores a verification's tokens, one a step and the verified
     * one, in the places of the output.
     *
     * @see <a
     *     href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/managers/tokenizer_manager.py">init_model_config</a>
     */
    int reservedTokens() {
        return draftSteps > 0 ? draftSteps + 1 : 0;
    }

    private static int draftSteps(LaunchFlags flags) {
        String algorithm = flags.text("speculative_algorithm");
        Integer steps = flags.number("speculative_num_steps");
        Integer topK = flags.number("speculative_eagle_topk");
        Integer draftTokens = flags.number("speculative_num_draft_tokens");
        if (algorithm == null) {
            return 0;
        }
        require(
                algorithm.equals("EAGLE") || algorithm.equals("NEXTN"),
                "argument --speculative-algorithm: this engine drafts with the model's own multi-token-prediction layer"
                        + " (EAGLE or NEXTN), got " + algorithm);
        if (steps == null) {
            require(
                    topK == null && draftTokens == null,
                    "argument --speculative-num-steps: give it together with --speculative-eagle-topk and"
                            + " --speculative-num-draft-tokens, or none of the three");
            return DEFAULT_DRAFT_STEPS;
        }
        require(topK != null && topK == 1, "argument --speculative-eagle-topk: this engine drafts one chain, give 1");
        require(steps >= 1 && steps <= 16, "argument --speculative-num-steps: must be 1 to 16, got " + steps);
        return steps;
    }

    private static boolean drawsDrafts(LaunchFlags flags, int draftSteps) {
        boolean drawn = flags.isSet("speculative_use_rejection_sampling");
        require(
                !drawn || draftSteps > 0,
                "argument --speculative-use-rejection-sampling: needs --speculative-algorithm EAGLE or NEXTN");
        for (String threshold : List.of("speculative_accept_threshold_single", "speculative_accept_threshold_acc")) {
            require(
                    !(flags.values().get(threshold) instanceof Double value) || value == 1,
                    "argument --" + threshold.replace('_', '-')
                            + ": this engine samples from the model's own law, which"
                            + " a threshold other than 1.0 would change");
        }
        return drawn;
    }

    private static String text(LaunchFlags flags, String field, String otherwise) {
        String value = flags.text(field);
        return value == null ? otherwise : value;
    }

    private static int or(@Nullable Integer value, int otherwise) {
        return value == null ? otherwise : value;
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new UsageException(message);
        }
    }
}
