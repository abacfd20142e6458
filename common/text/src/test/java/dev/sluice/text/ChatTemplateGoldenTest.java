package dev.sluice.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.sluice.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Against what transformers 5.24.0 rendered and tokenised: {@code src/test/resources/chat/make_golden.py}. */
class ChatTemplateGoldenTest {
    private static final Path CHAT = Path.of("src/test/resources/chat");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TestFactory
    Stream<DynamicNode> rendersAndTokenisesWhatTransformersDoes() throws IOException {
        JsonNode conversations =
                JSON.readTree(CHAT.resolve("conversations.json").toFile());
        return Stream.of("glm-4.7-flash", "qwen3", "deepseek-v3.1", "deepseek-r1")
                .map(family -> DynamicContainer.dynamicContainer(family, cases(CHAT.resolve(family), conversations)));
    }

    private static Stream<DynamicTest> cases(Path model, JsonNode conversations) {
        JsonNode golden = read(model.resolve("golden.json"));
        assertThat(golden).hasSameSizeAs(conversations);
        return Stream.iterate(0, i -> i < golden.size(), i -> i + 1)
                .map(i -> DynamicTest.dynamicTest(
                        golden.get(i).get("name").asText(), () -> check(model, conversations.get(i), golden.get(i))));
    }

    private static void check(Path model, JsonNode given, JsonNode golden) throws IOException {
        ChatTemplate template = ChatTemplate.open(model);
        Conversation conversation = conversation(given);
        if (golden.has("refused")) {
            assertThatThrownBy(() -> template.render(conversation)).isInstanceOf(TemplateException.class);
            return;
        }
        String text = template.render(conversation);
        assertThat(text).isEqualTo(golden.get("text").asText());
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            int[] ids = JSON.convertValue(golden.get("ids"), int[].class);
            assertThat(tokenizer.encode(text)).containsExactly(ids);
        }
    }

    static Conversation conversation(JsonNode given) {
        Map<String, JsonNode> arguments = new HashMap<>();
        given.path("arguments").properties().forEach(entry -> arguments.put(entry.getKey(), entry.getValue()));
        JsonNode tools = given.has("tools") ? given.get("tools") : NullNode.getInstance();
        return new Conversation(
                given.get("messages"), tools, given.path("addGenerationPrompt").asBoolean(true), arguments);
    }

    private static JsonNode read(Path file) {
        try {
            return JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
