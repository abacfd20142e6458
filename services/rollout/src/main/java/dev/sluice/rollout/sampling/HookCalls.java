package dev.sluice.rollout.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.Rollout.Hooks;
import dev.sluice.http.Json;
import dev.sluice.rollout.hook.HookException;
import dev.sluice.rollout.hook.OwnFunctions;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.text.Tokenizer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Calls functions of one's own with slime's Sample: one generates a sample, one judges a scored group.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/docs/en/get_started/customization.md">slime's customization:
 *     custom-generate-function-path and dynamic-sampling-filter-path</a>
 */
final class HookCalls {
    private static final int MAX_REASON = 64;

    private final Tokenizer tokenizer;
    private final PromptTokens prompts;
    private final int vocabulary;
    private final OwnFunctions functions;

    /** @param vocabulary tokens that the model knows */
    HookCalls(Tokenizer tokenizer, PromptTokens prompts, int vocabulary, OwnFunctions functions) {
        this.vocabulary = vocabulary;
        this.tokenizer = tokenizer;
        this.prompts = prompts;
        this.functions = functions;
    }

    /** What becomes of a sample that a function generates; one that does not do as it should fails it with the reason. */
    SampleOutcome generate(GenerateAsk ask, SamplingParams params, int[] prompt, Duration left) {
        GroupRequested task = ask.task();
        Hooks hooks = Objects.requireNonNull(task.hooks(), "the task has no function");
        String url = Objects.requireNonNull(hooks.generate(), "the task has no function that generates");
        try {
            Map<String, Object> sample = described(task, ask.index());
            sample.put("prompt", prompts.text(task.prompt()));
            sample.put("tokens", prompt);
            sample.put("session_id", ask.session().id());
            sample.put("status", "pending");
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("sample", sample);
            body.put("sampling_params", sent(params, ask.session()));
            body.put("evaluation", task.evaluation());
            body.put("router_url", functions.routerUrl());
            JsonNode reply = functions.ask(url, body, Duration.ofSeconds(hooks.timeoutSeconds()), left);
            String key = task.scoring() == null ? null : task.scoring().key();
            return new HookedSample(prompt, vocabulary, task.sampling().maxTokens(), key).read(reply, ask);
        } catch (HookException failure) {
            return new SampleOutcome.Unanswered(ask.index(), 0, "%s: %s".formatted(url, failure.getMessage()));
        }
    }

    /** As slime gives them, with what the router knows the sample by: engines ignore what they do not use. */
    private static ObjectNode sent(SamplingParams params, RouterSession session) {
        ObjectNode sent = Json.MAPPER.valueToTree(params);
        sent.put("skip_special_tokens", false);
        sent.put("no_stop_trim", true);
        sent.put("spaces_between_special_tokens", false);
        sent.putObject("custom_params").put("sluice_session", session.id());
        return sent;
    }

    private static Map<String, Object> described(GroupRequested task, int index) {
        Map<String, Object> sample = new LinkedHashMap<>();
        sample.put("group_index", task.cursor());
        sample.put("index", index);
        sample.put("label", task.label());
        JsonNode metadata = GroupScorer.metadata(task);
        if (metadata.isObject()) {
            sample.put("metadata", metadata);
        }
        return sample;
    }

    /**
     * Whether a scored group is trained on; null where no function is asked, because there is none or the group is not complete.
     *
     * @throws HookException if the function does not do as it should: the group is kept then
     */
    @Nullable
    Verdict judge(GroupRequested task, List<Sample> samples, Duration left) throws HookException {
        Hooks hooks = task.hooks();
        boolean complete = samples.stream().allMatch(sample -> sample.reward() != null);
        if (hooks == null || hooks.dynamicFilter() == null || task.evaluation() || !complete) {
            return null;
        }
        List<Map<String, Object>> sent =
                samples.stream().map(sample -> judged(task, sample)).toList();
        JsonNode reply = functions.ask(
                hooks.dynamicFilter(), Map.of("samples", sent), Duration.ofSeconds(hooks.timeoutSeconds()), left);
        if (!reply.path("keep").isBoolean()) {
            throw new HookException(hooks.dynamicFilter() + " answered no keep of true or false");
        }
        boolean keep = reply.path("keep").booleanValue();
        return new Verdict(
                keep,
                keep ? null : reason(reply),
                reply.path("keep_when_insufficient").asBoolean());
    }

    /** It stands in the name of a figure. */
    private static String reason(JsonNode reply) {
        String given = reply.path("reason").isTextual() ? reply.path("reason").asText() : "hook";
        String plain = given.replaceAll("[^A-Za-z0-9_.:-]", "_");
        return plain.isEmpty() ? "hook" : plain.substring(0, Math.min(MAX_REASON, plain.length()));
    }

    private Map<String, Object> judged(GroupRequested task, Sample sample) {
        Map<String, Object> judged = described(task, sample.index());
        int[] tokens = sample.tokens().toArray();
        judged.put("prompt", GroupScorer.sent(task.prompt()));
        judged.put("response", tokenizer.decode(tokens, true));
        judged.put("response_length", tokens.length);
        judged.put("reward", sample.reward());
        judged.put("status", sample.finishReason() == FinishReason.LENGTH ? "truncated" : "completed");
        return judged;
    }
}
