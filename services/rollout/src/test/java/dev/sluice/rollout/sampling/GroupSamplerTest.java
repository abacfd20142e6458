package dev.sluice.rollout.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Message;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.http.Json;
import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EngineApi;
import dev.sluice.rollout.engine.Progress;
import dev.sluice.rollout.environment.Environments;
import dev.sluice.rollout.hook.OwnFunctions;
import dev.sluice.rollout.reward.OwnRewards;
import dev.sluice.rollout.reward.Rewards;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.StreamedSamples;
import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What is sent to an engine; expected ids are those of transformers in common/text's {@code golden.json}. */
class GroupSamplerTest {
    private static final Path TEXT =
            Path.of(System.getProperty("sluice.root")).resolve("common/text/src/test/resources");
    private static final Path GLM = TEXT.resolve("chat/glm-4.7-flash");

    private final List<GenerateRequest> sent = new ArrayList<>();

    @Test
    void aConversationBecomesTheTokensThatTransformersMakesOfIt() throws IOException {
        Prompt thinkingOff =
                new Prompt(null, List.of(Message.of("user", "What is 2+2?")), null, Map.of("enable_thinking", "false"));

        int[] tokens = send(GLM, thinkingOff, new Sampling(1, 1, -1, 8, 42));

        assertThat(tokens).containsExactly(golden("thinking off"));
        assertThat(sent.getFirst().inputIds()).containsExactly(tokens);
    }

    @Test
    void toolsAndWholeMessagesReachTheTemplate() throws IOException {
        JsonNode given = named("conversations.json", "tool call with text and reasoning");
        List<Message> messages = new ArrayList<>();
        given.get("messages")
                .forEach(message -> messages.add(new Message(
                        message.get("role").asText(), message.get("content").asText(), message.toString())));

        int[] tokens = send(
                GLM,
                new Prompt(null, messages, given.get("tools").toString(), Map.of()),
                new Sampling(1, 1, -1, 8, 42));

        assertThat(tokens).containsExactly(golden("tool call with text and reasoning"));
    }

    @Test
    void stopsAreAskedForWhereTheTaskHasThem() throws IOException {
        Prompt prompt = Prompt.of(List.of(Message.of("user", "Hi")));

        send(GLM, prompt, new Sampling(1, 1, -1, 8, 42, List.of("\n\n", "User:"), List.of(7, 9), List.of()));
        send(GLM, prompt, new Sampling(1, 1, -1, 8, 42));

        SamplingParams with = sent.get(0).samplingParams();
        SamplingParams without = sent.get(1).samplingParams();
        assertThat(with.stop()).containsExactly("\n\n", "User:");
        assertThat(with.stopTokenIds()).containsExactly(7, 9);
        assertThat(without.stop()).isNull();
        assertThat(without.stopTokenIds()).isNull();
    }

    @Test
    void aConversationForAModelWithoutTemplateSaysSo() {
        assertThatThrownBy(() -> send(
                        TEXT.resolve("character-model"),
                        Prompt.of(List.of(Message.of("user", "1+1="))),
                        new Sampling(1, 1, -1, 8, 42)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the prompt is a conversation: The model directory")
                .hasMessageContaining("has no chat template");
    }

    @Test
    void aConversationThatTheTemplateRefusesSaysWhere() {
        Prompt parts = Prompt.of(List.of(
                new Message("user", "", "{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"x\"}]}")));

        assertThatThrownBy(() -> send(TEXT.resolve("chat/deepseek-v3.1"), parts, new Sampling(1, 1, -1, 8, 42)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the chat template refuses the prompt: line 28: there is no str + list; an absent value may be"
                                + " the reason");
    }

    private int[] send(Path model, Prompt prompt, Sampling sampling) throws IOException {
        GroupRequested task = new GroupRequested(
                "r", 1, "r/0", 0, 0, 1, "i", prompt, "4", "exact", 1, sampling, 0, null, Instant.MAX);
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            return new GroupSampler(
                            tokenizer,
                            model,
                            new GroupSampler.Others(
                                    new Rewards(List.of(), 1, new OwnRewards(List.of())),
                                    new Environments(List.of(), 1, List.of()),
                                    new OwnFunctions(List.of(), 1, () -> "")))
                    .sample(
                            new Recorder(),
                            new GroupSampler.SamplingCall(
                                    task,
                                    new TreeMap<>(Map.of(0, PartialSample.NOTHING)),
                                    "r/",
                                    "e",
                                    new Engine.Seat(0, null),
                                    null,
                                    Duration.ofSeconds(1)))
                    .promptTokens();
        }
    }

    private static int[] golden(String name) throws IOException {
        return Json.MAPPER.convertValue(named("glm-4.7-flash/golden.json", name).get("ids"), int[].class);
    }

    private static JsonNode named(String file, String name) throws IOException {
        return Json.MAPPER
                .readTree(TEXT.resolve("chat").resolve(file).toFile())
                .valueStream()
                .filter(entry -> entry.get("name").asText().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Keeps what it is asked and answers nothing. */
    private final class Recorder implements EngineApi {
        @Override
        public List<GenerateResponse> generate(List<GenerateRequest> requests, Duration deadline) {
            sent.addAll(requests);
            return List.of();
        }

        @Override
        public void stream(List<GenerateRequest> requests, StreamedSamples samples, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void abort(String ridPrefix) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean healthy(Duration deadline) {
            return true;
        }

        @Override
        public Optional<Progress> progress(Duration deadline) {
            return Optional.empty();
        }

        @Override
        public Optional<String> checksum(Duration deadline) {
            return Optional.empty();
        }

        @Override
        public void standStill(PauseMode pause, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void release(Set<MemoryTag> tags, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void resume(Set<MemoryTag> tags, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<String> put(WeightSource source, boolean dropsCache, Duration deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<String> goOn(int version) {
            throw new UnsupportedOperationException();
        }
    }
}
