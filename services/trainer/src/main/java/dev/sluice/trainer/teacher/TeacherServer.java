package dev.sluice.trainer.teacher;

import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import dev.sluice.sglang.TokenLogprob;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;

/**
 * A teacher behind SGLang's API: it generates nothing and tells the log-probabilities of given tokens, at temperature 1 over the
 * whole vocabulary.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/on_policy_distillation.py">on_policy_distillation.py</a>
 */
final class TeacherServer {
    /** Rounding of a server that computes in bfloat16. */
    private static final double LARGEST_LOGPROB = 1e-3;

    /** A server that lies must not fill the heap. */
    private static final long REPLY_BYTES = 64 << 10;

    private static final long REPLY_BYTES_PER_TOKEN = 256;

    private final HttpEndpoint endpoint;

    TeacherServer(URI address) {
        this.endpoint = HttpEndpoint.at(address);
    }

    /**
     * The log-probabilities of a sample's response, nats, one a token.
     *
     * @param tokens prompt and response
     * @param promptTokens at least 1: nothing is known of a first token
     * @throws HttpCallException if it gave no answer
     * @throws CancellationException if somebody aborted the request there
     * @throws TrainingRefusedException if it answered something else, which it would do again
     */
    float[] logprobs(int[] tokens, int promptTokens, Duration deadline) {
        SamplingParams nothing = SamplingParams.of(0, 1);
        // The first position asked for has no log-probability, so it is the prompt's last; the rest of the prompt may
        // be cached.
        GenerateRequest request =
                new GenerateRequest(null, null, tokens, nothing, true, promptTokens - 1, null, null, null, false, null);
        GenerateResponse response = client(tokens.length).generate(request, deadline);
        if (response.meta().finishReason() instanceof FinishReason.Abort abort) {
            throw new CancellationException(
                    "%s aborted the request: %s".formatted(endpoint.baseUri(), abort.message()));
        }
        List<TokenLogprob> told = response.meta().inputTokenLogprobs();
        int[] asked = Arrays.copyOfRange(tokens, promptTokens - 1, tokens.length);
        if (told == null || told.size() != asked.length) {
            throw lie("%s log-probabilities for %d tokens"
                    .formatted(told == null ? "no" : Integer.toString(told.size()), asked.length));
        }
        float[] logprobs = new float[asked.length - 1];
        for (int i = 1; i < asked.length; i++) {
            logprobs[i - 1] = checked(told.get(i), asked[i], promptTokens - 1 + i);
        }
        return logprobs;
    }

    private SglangClient client(int tokens) {
        return new SglangClient(
                endpoint.withReplyLimit(REPLY_BYTES + REPLY_BYTES_PER_TOKEN * tokens), Duration.ofSeconds(30));
    }

    private float checked(TokenLogprob told, int token, int position) {
        if (told.tokenId() != token) {
            throw lie("token %d at position %d, which is %d".formatted(told.tokenId(), position, token));
        }
        Double logprob = told.logprob();
        if (logprob == null || logprob > LARGEST_LOGPROB) {
            throw lie("the log-probability %s for token %d at position %d"
                    .formatted(Objects.toString(logprob), token, position));
        }
        return (float) Math.min(0, logprob);
    }

    private TrainingRefusedException lie(String what) {
        return new TrainingRefusedException(
                "the teacher at %s answered %s; it must be an SGLang server of a model with the policy's vocabulary, whose /generate returns logprobs"
                        .formatted(endpoint.baseUri(), what));
    }
}
