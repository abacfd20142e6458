package dev.sluice.cli.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.events.RunMetric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The containers' files say what the packaged services really understand, serve and publish. */
class DeployFilesIT {
    private static final Path ROOT = PackagedService.ROOT;
    private static final Pattern FIGURE = Pattern.compile("name=\"([^\"]+)\"");

    @Test
    void everyVariableOfTheContainersIsAKeyOfItsService() throws IOException {
        for (var service : services().entrySet()) {
            String name = serviceArgument(service.getValue());
            if (name == null || service.getKey().equals("topics")) {
                continue;
            }
            assertThat(new PackagedService(name)
                            .misunderstood(environment(service.getValue()).keySet()))
                    .as("variables of " + service.getKey())
                    .isEmpty();
        }
    }

    @Test
    void everyPackagedServiceHasAContainer() throws IOException {
        List<String> built = services().values().stream()
                .map(DeployFilesIT::serviceArgument)
                .filter(name -> name != null)
                .distinct()
                .toList();

        assertThat(built)
                .containsExactlyInAnyOrderElementsOf(PackagedService.ALL)
                .allSatisfy(name -> assertThat(new PackagedService(name).jar()).exists());
    }

    @Test
    void commandsOfEnginesAndWorkersNameMainsThatExist() throws IOException {
        List<Path> mains = services().values().stream()
                .flatMap(service -> environment(service).entrySet().stream())
                .filter(variable -> variable.getKey().endsWith("_COMMAND"))
                .map(variable -> PackagedService.mainOf(variable.getValue()))
                .toList();

        assertThat(mains).isNotEmpty().allSatisfy(main -> assertThat(main).exists());
    }

    @Test
    void prometheusScrapesThePortsThatTheImageOpens() throws IOException {
        String image = PackagedService.dockerfile();
        Map<String, Object> prometheus = yaml(ROOT.resolve("deploy/prometheus/prometheus.yml"));

        String targets = prometheus.get("scrape_configs").toString();

        assertThat(image).contains("QUARKUS_HTTP_PORT=8080").contains("EXPOSE 8080");
        for (var service : services().entrySet()) {
            if (serviceArgument(service.getValue()) != null && !service.getKey().equals("topics")) {
                assertThat(targets).contains(service.getKey() + ":8080");
            }
        }
    }

    @Test
    void grafanaAsksForFiguresThatTrainersPublish() throws IOException {
        JsonNode dashboard = new ObjectMapper()
                .readTree(ROOT.resolve("deploy/grafana/dashboards/sluice.json").toFile());
        List<String> known =
                Arrays.stream(RunMetric.values()).map(RunMetric::wireName).toList();

        List<String> asked = dashboard.findValuesAsText("expr").stream()
                .map(FIGURE::matcher)
                .filter(Matcher::find)
                .map(match -> match.group(1))
                .toList();

        assertThat(asked).isNotEmpty();
        assertThat(known).containsAll(asked);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Map<String, Object>> services() throws IOException {
        return (Map<String, Map<String, Object>>)
                yaml(ROOT.resolve("docker-compose.yml")).get("services");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, String> environment(Map<String, Object> service) {
        return (Map<String, String>) service.getOrDefault("environment", Map.of());
    }

    private static String serviceArgument(Map<String, Object> service) {
        return service.get("build") instanceof Map<?, ?> build && build.get("args") instanceof Map<?, ?> arguments
                ? String.valueOf(arguments.get("SERVICE"))
                : null;
    }

    private static Map<String, Object> yaml(Path file) throws IOException {
        return new Yaml(new SafeConstructor(new LoaderOptions())).load(Files.readString(file));
    }
}
