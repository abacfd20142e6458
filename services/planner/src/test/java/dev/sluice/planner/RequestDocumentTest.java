package dev.sluice.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.TrainingRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestDocumentTest {

    @Test
    void readsTheExampleRequest() throws IOException {
        Path example = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/request.yaml");

        RequestDocument document = RequestDocument.ofBody(Files.readAllBytes(example));

        assertThat(document.error()).isNull();
        assertThat(RequestReader.read(document.root())).isInstanceOfSatisfying(Reading.Complete.class, complete -> {
            TrainingRequest request = complete.request();
            assertThat(request.training().learningRate()).isEqualTo(5e-4);
            assertThat(request.training().steps()).isEqualTo(100);
            assertThat(request.model().path()).isEqualTo("./model");
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"name\": 1, \"name\": 2}",
                "name: 1\nname: 2",
                "- a\n- b",
                "{",
                "",
                "a: &x [1]\nb: {a: 1} trailing",
                "!!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[!!java.net.URL [\"http://x\"]]]]"
            })
    void saysWhatIsWrongWithText(String text) {
        RequestDocument document = RequestDocument.ofBody(text.getBytes(StandardCharsets.UTF_8));

        assertThat(document.root()).isNull();
        assertThat(document.error()).isNotBlank();
    }

    @Test
    void refusesNestingWithoutEnd() {
        RequestDocument document = RequestDocument.ofRecord("[".repeat(100_000).getBytes(StandardCharsets.UTF_8));

        assertThat(document.error()).contains("nesting depth");
    }
}
