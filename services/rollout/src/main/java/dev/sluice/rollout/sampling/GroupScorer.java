package dev.sluice.rollout.sampling;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.sluice.domain.reward.Response;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.TrainingRequest.Reward;
import dev.sluice.http.Json;
import dev.sluice.rollout.reward.RewardAsk;
import dev.sluice.rollout.reward.Rewards;
import dev.sluice.rollout.reward.Score;
import dev.sluice.text.Tokenizer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;

/** Gives a whole group's samples their rewards. */
final class GroupScorer {
    private final Tokenizer tokenizer;
    private final Rewards rewards;

    GroupScorer(Tokenizer tokenizer, Rewards rewards) {
        this.tokenizer = tokenizer;
        this.rewards = rewards;
    }

    /** The samples with what they are worth; failed ones stay as they are. */
    List<Sample> score(GroupRequested task, List<Sample> samples, Duration left) {
        JsonNode metadata = metadata(task);
        List<Response> responses = samples.stream()
                .filter(GroupScorer::isResponse)
                .map(sample -> response(task, tokenizer.decode(sample.tokens().toArray(), true), metadata))
                .toList();
        if (responses.isEmpty()) {
            return samples;
        }
        Reward reward = Objects.requireNonNullElseGet(task.scoring(), () -> Reward.named(task.reward()));
        Iterator<Score> scores = rewards.score(new RewardAsk(reward, sent(task.prompt()), responses, left))
                .iterator();
        List<Sample> scored = new ArrayList<>();
        samples.forEach(sample -> scored.add(isResponse(sample) ? with(sample, scores.next()) : sample));
        return scored;
    }

    /** What a task's prompt was answered with, as rewards and environments see it. */
    static Response response(GroupRequested task, String text) {
        return response(task, text, metadata(task));
    }

    private static Response response(GroupRequested task, String text, JsonNode metadata) {
        return new Response(text(task.prompt()), text, task.label(), metadata);
    }

    /** A function that generated a sample may have brought its reward along. */
    private static boolean isResponse(Sample sample) {
        return sample.finishReason() != FinishReason.FAILED && sample.reward() == null;
    }

    /** As somebody elsewhere gets it: text, or a list of messages. */
    static Object sent(Prompt prompt) {
        return prompt.messages() == null ? text(prompt) : prompt.messages();
    }

    private static String text(Prompt prompt) {
        return prompt.text() == null ? String.valueOf(Json.MAPPER.valueToTree(prompt.messages())) : prompt.text();
    }

    /** Rows are checked where they are read; what is broken all the same counts as none. */
    static JsonNode metadata(GroupRequested task) {
        try {
            return task.metadata() == null ? MissingNode.getInstance() : Json.MAPPER.readTree(task.metadata());
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    static Sample with(Sample sample, Score score) {
        return new Sample(
                sample.index(),
                sample.tokens(),
                sample.logprobs(),
                sample.lossMask(),
                score.reward(),
                score.unscored(),
                sample.finishReason(),
                sample.versions(),
                sample.engineId(),
                sample.verifies(),
                sample.acceptedDrafts(),
                sample.proposedDrafts(),
                sample.routedExperts(),
                sample.topPTokenIds(),
                sample.loraName(),
                sample.multimodal());
    }
}
