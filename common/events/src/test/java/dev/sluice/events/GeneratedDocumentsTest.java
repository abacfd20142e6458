package dev.sluice.events;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The schemas, the AsyncAPI document and the golden samples are what the records say. After a deliberate change run {@code
 * ./mvnw -pl common/events test -Dsluice.update=true} and read the diff.
 */
class GeneratedDocumentsTest {
    private static final Path MODULE = Path.of(System.getProperty("sluice.root"), "common", "events");
    private static final Path RESOURCES = MODULE.resolve("src/main/resources/dev/sluice/events");
    private static final Path GOLDEN = MODULE.resolve("src/test/golden");
    private static final boolean UPDATE = Boolean.getBoolean("sluice.update");
    private static final ObjectMapper PRETTY = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final ObjectMapper YAML =
            new ObjectMapper(new YAMLFactory().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER));

    static Stream<Class<? extends Event>> events() {
        return Arrays.stream(Topics.values()).flatMap(topic -> topic.events().stream());
    }

    @ParameterizedTest
    @MethodSource("events")
    void aSchemaSaysWhatItsRecordSays(Class<? extends Event> event) throws IOException {
        String schema = PRETTY.writeValueAsString(new EventSchemas().schema(event)) + "\n";

        expect(RESOURCES.resolve("schemas/" + event.getSimpleName() + ".json"), schema);
    }

    @Test
    void theAsyncApiDocumentSaysWhatTopicsSays() throws IOException {
        String document = YAML.writeValueAsString(AsyncApi.document());

        expect(RESOURCES.resolve("asyncapi.yaml"), document);
    }

    @Test
    void thePageOfFiguresSaysWhatTheCatalogueSays() throws IOException {
        expect(MODULE.resolve("METRICS.md"), MetricsPage.text());
    }

    @ParameterizedTest
    @MethodSource("events")
    void anEventIsWrittenAsItsGoldenSample(Class<? extends Event> event) throws IOException {
        String written = PRETTY.writeValueAsString(EventJson.mapper().valueToTree(SampleEvents.of(event))) + "\n";

        expect(GOLDEN.resolve(event.getSimpleName() + ".json"), written);
    }

    @ParameterizedTest
    @MethodSource("events")
    void aGoldenSampleIsReadForEver(Class<? extends Event> event) throws IOException {
        JsonNode golden =
                PRETTY.readTree(GOLDEN.resolve(event.getSimpleName() + ".json").toFile());

        Event read = EventJson.mapper().treeToValue(golden, event);

        assertThat(read).isEqualTo(SampleEvents.of(event));
    }

    @ParameterizedTest
    @MethodSource("events")
    void everyFieldSaysWhatItMeans(Class<? extends Event> event) {
        assertThat(EventSchemas.about(event)).as("%s", event).isNotBlank();
        assertThat(event.getRecordComponents())
                .allSatisfy(component -> assertThat(component.getAnnotation(About.class))
                        .as("%s.%s", event.getSimpleName(), component.getName())
                        .isNotNull());
    }

    @Test
    void noDocumentIsLeftOfAnEventThatIsGone() {
        assertThat(names(GOLDEN))
                .containsExactlyInAnyOrderElementsOf(
                        events().map(event -> event.getSimpleName() + ".json").toList());
        assertThat(names(RESOURCES.resolve("schemas")))
                .containsExactlyInAnyOrderElementsOf(
                        events().map(event -> event.getSimpleName() + ".json").toList());
    }

    private static java.util.List<String> names(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void expect(Path file, String content) throws IOException {
        if (UPDATE) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, content);
        }
        assertThat(file)
                .as("run with -Dsluice.update=true after a deliberate change")
                .exists();
        assertThat(Files.readString(file)).isEqualTo(content);
    }
}
