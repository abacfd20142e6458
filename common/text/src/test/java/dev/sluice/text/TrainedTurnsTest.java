package dev.sluice.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Against slime's masks ({@code src/test/resources/chat/make_masks.py}), and where slime's differ, by what is learnt as text. */
class TrainedTurnsTest {
    private static final Path CHAT = Path.of("src/test/resources/chat");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> masksAsSlimeDoes() throws IOException {
        JsonNode cases = JSON.readTree(CHAT.resolve("masks.json").toFile());
        JsonNode golden = JSON.readTree(CHAT.resolve("masks-golden.json").toFile());
        assertThat(golden).hasSameSizeAs(cases);
        return Stream.iterate(0, i -> i < golden.size(), i -> i + 1)
                .map(i -> DynamicTest.dynamicTest(
                        golden.get(i).get("name").asText(), () -> check(cases.get(i), golden.get(i))));
    }

    private void check(JsonNode given, JsonNode golden) throws IOException {
        if (given.has("template")) {
            Files.copy(
                    CHAT.resolve(given.get("family").asText()).resolve("tokenizer.json"),
                    folder.resolve("tokenizer.json"));
            Files.writeString(
                    folder.resolve("chat_template.jinja"), given.get("template").asText());
        }
        Path model = given.has("template")
                ? folder
                : CHAT.resolve(given.get("family").asText());
        if (!golden.get("mask").toString().contains("1")) {
            assertThatThrownBy(() -> turns(model, given.get("messages")))
                    .hasMessage("there is no message of the assistant to learn from; end the conversation with one");
            return;
        }

        TrainedTurns turns = turns(model, given.get("messages"));

        assertThat(turns.ids()).containsExactly(JSON.convertValue(golden.get("ids"), int[].class));
        assertThat(turns.mask()).containsExactly(mask(golden.get("mask")));
    }

    /** Qwen3 takes thoughts out of answers that a user follows, so no beginning of the conversation ends where such an answer does. */
    @Test
    void learnsEveryAnswerOfSeveralTurnsWhereTheTemplateRewritesEarlierOnes() throws IOException {
        JsonNode talk = JSON.readTree("""
                [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "one", "reasoning_content": "hm"},
                 {"role": "user", "content": "2?"}, {"role": "assistant", "content": "two"}]
                """);

        assertThat(learnt("qwen3", talk)).containsExactly("one<|im_end|>\n", "<think>\n\n</think>\n\ntwo<|im_end|>\n");
    }

    /** GLM's template closes no answer: the model ends it by the next role, one of its end-of-sequence tokens. */
    @Test
    void learnsTheTokenThatEndsAnAnswerWhereItIsTheNextRolesOwn() throws IOException {
        JsonNode talk = JSON.readTree("""
                [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "one"},
                 {"role": "user", "content": "2?"}, {"role": "assistant", "content": "two"}]
                """);
        Path model = CHAT.resolve("glm-4.7-flash");
        for (String file : List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")) {
            Files.copy(model.resolve(file), folder.resolve(file));
        }
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            Files.writeString(
                    folder.resolve("generation_config.json"),
                    "{\"eos_token_id\": %d}"
                            .formatted(tokenizer.idOf("<|user|>").orElseThrow()));
        }

        assertThat(learnt(folder, talk)).containsExactly("</think>one<|user|>", "</think>two");
    }

    @Test
    void saysWhichMessageATemplateWritesDifferently() throws IOException {
        Files.copy(CHAT.resolve("qwen3").resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        Files.writeString(
                folder.resolve("chat_template.jinja"),
                "{{ messages | length }}{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}");
        JsonNode talk = JSON.readTree("""
                [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "one"}]
                """);

        assertThatThrownBy(() -> turns(folder, talk))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("message 1 differently once more messages follow");
    }

    private static List<String> learnt(String family, JsonNode messages) throws IOException {
        return learnt(CHAT.resolve(family), messages);
    }

    /** The text of each span of learnt tokens. */
    private static List<String> learnt(Path model, JsonNode messages) throws IOException {
        TrainedTurns turns = turns(model, messages);
        List<String> texts = new ArrayList<>();
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            for (int i = 0; i < turns.ids().length; i++) {
                int end = i;
                while (end < turns.ids().length && turns.mask()[end] == 1) {
                    end++;
                }
                if (end > i) {
                    texts.add(tokenizer.decode(Arrays.copyOfRange(turns.ids(), i, end), false));
                    i = end;
                }
            }
        }
        return texts;
    }

    private static TrainedTurns turns(Path model, JsonNode messages) throws IOException {
        Conversation.Builder talk = Conversation.builder();
        messages.forEach(message -> talk.message(
                message.get("role").asText(), message.get("content").asText(), message.toString()));
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            return TrainedTurns.of(ChatTemplate.open(model), tokenizer, talk.whole());
        }
    }

    private static byte[] mask(JsonNode golden) {
        byte[] mask = new byte[golden.size()];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) golden.get(i).asInt();
        }
        return mask;
    }
}
