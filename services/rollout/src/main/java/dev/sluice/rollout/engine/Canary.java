package dev.sluice.rollout.engine;

import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.TokenLogprob;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A short generation of our own. An engine whose scheduler is dead can answer {@code /health} with 200 for an hour, and one
 * that was just started may be unable to generate at all; neither survives this.
 *
 * @param rid names the request
 * @param version weights that the engine must hold
 */
record Canary(String rid, int version) {
    /** Ids that every vocabulary has. */
    private static final int[] PROMPT = {1, 2, 3, 4};

    /** One from the prefill, one from a decoding step. */
    private static final int TOKENS = 2;

    private static final String LABEL_OF_SOURCE = "default";

    /**
     * Samples two tokens as a run's requests do, since SGLang compiles the kernels of sampling at their first use; blocks
     * up to the deadline.
     *
     * @return what is wrong with the engine, if anything
     */
    Optional<String> trouble(EngineApi engine, Duration deadline) {
        var params = SamplingParams.of(TOKENS, 1).change().ignoreEos(true).done();
        List<GenerateResponse> replies;
        try {
            replies = engine.generate(List.of(GenerateRequest.ofTokens(rid, PROMPT, params)), deadline);
        } catch (RuntimeException e) {
            // Beside us: an engine that hangs takes half a minute to fail this too, and its verdict is known.
            Thread.ofVirtual().name("abort-" + rid).start(() -> abort(engine));
            return Optional.of("a canary got no answer within %s: %s".formatted(deadline, e.getMessage()));
        }
        return Optional.ofNullable(objection(replies.getFirst()));
    }

    /** Whatever became of it, it must not go on in the engine. */
    private void abort(EngineApi engine) {
        try {
            engine.abort(rid);
        } catch (RuntimeException e) {
            // An engine that does not even take this is judged by the canary.
        }
    }

    private @Nullable String objection(GenerateResponse reply) {
        Meta meta = reply.meta();
        int tokens = reply.outputIds().length;
        if (!holds(meta.weightVersion())) {
            return "a canary was sent with weight version %d and answered with '%s'"
                    .formatted(version, meta.weightVersion());
        }
        if (meta.finishReason() instanceof FinishReason.Abort abort) {
            return "a canary was aborted: " + abort.message();
        }
        List<TokenLogprob> logprobs = meta.outputTokenLogprobs();
        if (tokens == 0 || tokens > TOKENS || logprobs == null || logprobs.size() != tokens) {
            return "a canary of %d tokens came back with %d and %d log-probabilities"
                    .formatted(TOKENS, tokens, logprobs == null ? 0 : logprobs.size());
        }
        boolean finite = logprobs.stream()
                .allMatch(entry -> entry.logprob() != null
                        && Double.isFinite(entry.logprob().doubleValue()));
        return finite ? null : "a canary's log-probabilities are not finite: " + logprobs;
    }

    /** Engines call the weights they start with "default". */
    private boolean holds(@Nullable String label) {
        return Integer.toString(version).equals(label) || version == 0 && LABEL_OF_SOURCE.equals(label);
    }
}
