package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged CPU engine answers as the clients of SGLang expect. */
class ConformanceIT {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Pattern LISTENING = Pattern.compile("Listening on (http://\\S+)");
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));

    @TempDir
    private Path directory;

    private final List<Process> engines = new ArrayList<>();

    @AfterEach
    void end() {
        engines.forEach(Process::destroyForcibly);
    }

    @Test
    void aPlainEngineFailsNoCheck() throws IOException {
        JsonNode json = check(start());

        assertThat(outcomes(json, "failed")).isEmpty();
        assertThat(json.get("passed").asInt()).isGreaterThan(40);
    }

    @Test
    void anEngineOfSeveralRanksThatSpeculatesPassesThemAll() throws IOException {
        JsonNode json = check(start(
                "--speculative-algorithm",
                "EAGLE",
                "--speculative-use-rejection-sampling",
                "--dp-size",
                "2",
                "--enable-dp-attention",
                "--enable-metrics",
                "--enable-memory-saver"));

        assertThat(outcomes(json, "failed")).isEmpty();
        // A machine may be too fast for the check that stops a request in the middle.
        assertThat(outcomes(json, "skipped")).isSubsetOf("aborted-reply");
    }

    private JsonNode check(String url) throws IOException {
        return CommandOutcome.of("conformance", url, "--disruptive", "--json").json();
    }

    private String start(String... flags) throws IOException {
        Path backend = ROOT.resolve("services/cpu-backend/target");
        Path output = directory.resolve("engine" + engines.size());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-cp",
                backend.resolve("sluice-cpu-backend-0.1.0-SNAPSHOT.jar") + ":" + backend.resolve("lib") + "/*",
                "dev.sluice.cpu.engine.EngineMain",
                "--model-path",
                ROOT.resolve("deploy/examples/tiny/model").toString(),
                "--port",
                "0"));
        command.addAll(List.of(flags));
        engines.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start());
        await().atMost(PATIENCE)
                .until(() -> Files.readString(output, StandardCharsets.UTF_8).contains("ready to roll"));
        Matcher address = LISTENING.matcher(Files.readString(output, StandardCharsets.UTF_8));
        assertThat(address.find()).isTrue();
        return address.group(1);
    }

    private static List<String> outcomes(JsonNode json, String outcome) {
        List<String> names = new ArrayList<>();
        for (JsonNode check : json.get("checks")) {
            if (check.get("outcome").asText().equals(outcome)) {
                names.add(check.get("name").asText());
            }
        }
        return names;
    }
}
