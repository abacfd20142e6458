package dev.sluice.rollout.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.rollout.hook.HookException;
import dev.sluice.rollout.reward.Score;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a sample of what a function of one's own answers: a Sample of slime's by its attributes. Nothing in it is taken on trust.
 *
 * @param prompt the tokens that its {@code tokens} must begin with
 * @param vocabulary tokens that the model knows
 * @param maxTokens of the response
 * @param rewardKey which number counts where it brings its reward along; null for {@code score}
 */
@SuppressWarnings("ArrayRecordComponent")
record HookedSample(
        int[] prompt,
        int vocabulary,
        int maxTokens,
        @Nullable String rewardKey) {
    /** Rounding of a probability of one. */
    private static final double MOST_LOGPROB = 1e-3;

    SampleOutcome read(JsonNode reply, GenerateAsk ask) throws HookException {
        JsonNode samples = reply.path("samples");
        if (!samples.isArray() || samples.size() != 1 || !samples.get(0).isObject()) {
            throw new HookException("it answered %s; return one Sample"
                    .formatted(samples.isArray() ? samples.size() + " samples" : "no list of samples"));
        }
        JsonNode sample = samples.get(0);
        String status = sample.path("status").asText();
        return switch (status) {
            case "completed" -> accepted(sample, ask, FinishReason.STOP);
            case "truncated" -> accepted(sample, ask, FinishReason.LENGTH);
            // A pause for new weights ends what runs on an engine; the next try meets the new ones.
            case "aborted" -> new SampleOutcome.Refused(ask.index(), 0, "the function says that it was aborted");
            case "failed" -> throw new HookException("it says that the sample failed");
            default ->
                throw new HookException("its sample has the status '%s'; set Sample.Status.COMPLETED or TRUNCATED"
                        .formatted(shortened(status)));
        };
    }

    private SampleOutcome accepted(JsonNode sample, GenerateAsk ask, FinishReason reason) throws HookException {
        int[] tokens = response(sample);
        float[] logprobs = logprobs(sample, tokens.length);
        byte[] mask = mask(sample, tokens.length);
        for (int i = 0; i < tokens.length; i++) {
            if (mask[i] != 0 && logprobs[i] > MOST_LOGPROB) {
                throw new HookException("rollout_log_probs[%d] is %s, no log-probability".formatted(i, logprobs[i]));
            }
        }
        var versions = ask.session().versions();
        if (versions.isEmpty()) {
            throw new HookException(
                    "it asked no engine of this instance for it: send the given sampling_params as they are"
                            + " (custom_params included) to http://{args.sglang_router_ip}:{args.sglang_router_port}/generate");
        }
        // Which of several answered which token only the function could tell: the oldest counts for all.
        var span = new VersionSpan(versions.first(), tokens.length);
        PartialSample whole = new PartialSample(tokens, logprobs, mask, List.of(span), PartialSample.Drafts.NONE);
        Sample made = whole.sample(ask.index(), reason, ask.session().engineId(), null, false);
        return new SampleOutcome.Accepted(rewarded(made, sample.path("reward")));
    }

    private int[] response(JsonNode sample) throws HookException {
        JsonNode tokens = sample.path("tokens");
        int length = wholeNumber(sample.path("response_length"), "response_length");
        if (length < 1 || length > maxTokens) {
            throw new HookException("response_length is %d; 1 to rollout.maxResponseTokens (%d) are taken"
                    .formatted(length, maxTokens));
        }
        if (!tokens.isArray() || tokens.size() != prompt.length + length) {
            throw new HookException("it has %d tokens; the prompt's %d and response_length %d are %d"
                    .formatted(tokens.size(), prompt.length, length, prompt.length + length));
        }
        int[] all = new int[tokens.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = wholeNumber(tokens.get(i), "tokens[" + i + "]");
            if (all[i] < 0 || all[i] >= vocabulary) {
                throw new HookException(
                        "tokens[%d] is %d; the model's tokens are 0 to %d".formatted(i, all[i], vocabulary - 1));
            }
        }
        int differs = Arrays.mismatch(all, 0, prompt.length, prompt, 0, prompt.length);
        if (differs >= 0) {
            throw new HookException(
                    "tokens[%d] is %d and the prompt's is %d: tokens are the given sample.tokens and the response's"
                            .formatted(differs, all[differs], prompt[differs]));
        }
        return Arrays.copyOfRange(all, prompt.length, all.length);
    }

    private static float[] logprobs(JsonNode sample, int length) throws HookException {
        JsonNode given = sample.path("rollout_log_probs");
        if (!given.isArray() || given.size() != length) {
            throw new HookException(
                    "rollout_log_probs has %d numbers for %d tokens: ask with return_logprob, and give 0.0 for tokens that no model generated"
                            .formatted(given.size(), length));
        }
        float[] logprobs = new float[length];
        for (int i = 0; i < length; i++) {
            logprobs[i] = (float) given.get(i).doubleValue();
            if (!given.get(i).isNumber() || !Float.isFinite(logprobs[i])) {
                throw new HookException("rollout_log_probs[%d] is %s"
                        .formatted(i, shortened(given.get(i).toString())));
            }
        }
        return logprobs;
    }

    private static byte[] mask(JsonNode sample, int length) throws HookException {
        byte[] mask = new byte[length];
        if (sample.path("remove_sample").asBoolean()) {
            return mask;
        }
        JsonNode given = sample.path("loss_mask");
        if (given.isMissingNode() || given.isNull()) {
            Arrays.fill(mask, (byte) 1);
            return mask;
        }
        if (!given.isArray() || given.size() != length) {
            throw new HookException(
                    "loss_mask has %d entries for %d tokens of the response".formatted(given.size(), length));
        }
        for (int i = 0; i < length; i++) {
            int entry = wholeNumber(given.get(i), "loss_mask[" + i + "]");
            if (entry != 0 && entry != 1) {
                throw new HookException("loss_mask[%d] is %d; 0 and 1 are taken".formatted(i, entry));
            }
            mask[i] = (byte) entry;
        }
        return mask;
    }

    /** As in slime, a sample that has its reward is not asked for one. */
    private Sample rewarded(Sample sample, JsonNode reward) throws HookException {
        if (reward.isMissingNode() || reward.isNull()) {
            return sample;
        }
        Score score = Score.ofReply(reward, rewardKey);
        if (score.unscored() != null) {
            throw new HookException("its reward cannot be used: " + score.unscored());
        }
        return GroupScorer.with(sample, score);
    }

    private static int wholeNumber(JsonNode node, String name) throws HookException {
        if (!node.isIntegralNumber() || !node.canConvertToInt()) {
            throw new HookException("%s is %s, no whole number"
                    .formatted(name, node.isMissingNode() ? "missing" : shortened(node.toString())));
        }
        return node.intValue();
    }

    private static String shortened(String text) {
        return text.length() <= 80 ? text : text.substring(0, 80) + "...";
    }
}
