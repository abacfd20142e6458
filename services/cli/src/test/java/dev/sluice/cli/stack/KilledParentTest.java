package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledParentTest {
    private static final Duration NOBODY_LEFT = Duration.ofSeconds(15);

    @TempDir
    private Path directory;

    private Process parent;

    @BeforeEach
    void startStack() throws IOException {
        parent = new ProcessBuilder(
                        JavaFlags.java(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        StackMain.class.getName(),
                        directory.toString())
                .redirectOutput(directory.resolve("parent.log").toFile())
                .redirectErrorStream(true)
                .start();
        await().atMost(Duration.ofSeconds(30)).until(() -> Files.exists(directory.resolve("ready")));
    }

    @AfterEach
    void endStack() {
        parent.destroyForcibly();
    }

    @Test
    void noServiceOutlivesAParentThatWasKilledWithoutWarning() throws IOException {
        List<PidFile> services = services();

        parent.destroyForcibly();

        await().atMost(NOBODY_LEFT)
                .until(() -> services.stream().allMatch(state -> state.process().isEmpty()));
    }

    @Test
    void anInterruptStopsTheServicesInOrder() throws Exception {
        List<PidFile> services = services();

        new ProcessBuilder("kill", "-INT", Long.toString(parent.pid())).start().waitFor();

        await().atMost(NOBODY_LEFT).until(() -> !parent.isAlive());
        assertThat(parent.exitValue()).isEqualTo(130);
        assertThat(services).allMatch(state -> state.process().isEmpty());
        assertThat(Files.readAllLines(directory.resolve("journal"))).endsWith("stopped planner", "stopped broker");
    }

    private List<PidFile> services() throws IOException {
        List<PidFile> services = new ArrayList<>();
        for (String name : List.of("broker", "trainer-1", "planner")) {
            services.add(
                    PidFile.read(directory.resolve("run/" + name + ".json")).orElseThrow());
        }
        return services;
    }
}
