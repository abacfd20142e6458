package dev.sluice.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.text.jinja.Template;
import dev.sluice.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Against what Jinja2 3.1.6 made in transformers' environment: {@code src/test/resources/chat/make_golden.py}. */
class SnippetGoldenTest {
    private static final Path CHAT = Path.of("src/test/resources/chat");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TestFactory
    Stream<DynamicTest> rendersWhatJinjaRenders() throws IOException {
        JsonNode snippets = JSON.readTree(CHAT.resolve("snippets.json").toFile());
        JsonNode golden = JSON.readTree(CHAT.resolve("snippets-golden.json").toFile());
        @SuppressWarnings("unchecked")
        Map<String, Object> variables = (Map<String, Object>) TemplateValues.of(snippets.get("variables"));
        return IntStream.range(0, golden.size()).mapToObj(i -> {
            String template = snippets.get("templates").get(i).asText();
            return DynamicTest.dynamicTest(template, () -> check(template, variables, golden.get(i)));
        });
    }

    private static void check(String template, Map<String, Object> variables, JsonNode golden) {
        if (golden.has("refused")) {
            assertThatThrownBy(() -> Template.parse(template).render(variables, Clock.systemUTC()))
                    .isInstanceOf(TemplateException.class);
        } else {
            assertThat(Template.parse(template).render(variables, Clock.systemUTC()))
                    .isEqualTo(golden.get("text").asText());
        }
    }
}
