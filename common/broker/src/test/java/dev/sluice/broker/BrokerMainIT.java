package dev.sluice.broker;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildExit;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The broker as the process that {@code sluice up} starts. */
class BrokerMainIT {
    private static final Duration GRACE = Duration.ofSeconds(30);

    @TempDir
    Path directory;

    private final List<ChildProcess> started = new ArrayList<>();

    @AfterEach
    void stopAll() {
        started.forEach(broker -> broker.stop(Duration.ZERO));
    }

    @Test
    void acknowledgedRecordsSurviveAKilledBroker() throws Exception {
        ChildProcess broker = start();
        String bootstrapServers = awaitReady(broker);
        Points.publish(bootstrapServers, 1, 2, 3);

        broker.stop(Duration.ZERO);
        ChildProcess next = start();

        assertThat(awaitReady(next)).isEqualTo(bootstrapServers);
        assertThat(Points.read(bootstrapServers)).containsExactly(Points.point(1), Points.point(2), Points.point(3));
    }

    @Test
    void theEndOfItsParentStopsItInOrder() throws Exception {
        ChildProcess broker = start();
        awaitReady(broker);

        ChildExit exit = broker.stop(GRACE);

        assertThat(exit.code().getAsInt()).as(exit.describe()).isIn(0, 143);
        assertThat(stateFile()).doesNotExist();
    }

    @Test
    void aSecondBrokerOnTheSameDirectoryEndsWithAReason() throws Exception {
        awaitReady(start());

        ChildExit exit = start().exited().get(60, SECONDS);

        assertThat(exit.code()).hasValue(1);
        assertThat(exit.describe()).contains("The broker cannot start: Another broker uses the directory");
    }

    private ChildProcess start() throws IOException {
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                BrokerMain.class.getName(),
                "--dir",
                directory.resolve("kafka").toString(),
                "--state-file",
                stateFile().toString());
        ChildProcess broker = ChildProcess.start(
                ChildCommand.of(command, directory, directory.resolve("broker-" + started.size() + ".log")));
        started.add(broker);
        return broker;
    }

    private String awaitReady(ChildProcess broker) {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> !broker.isAlive()
                        || PidFile.read(stateFile())
                                .filter(state -> state.pid() == broker.pid())
                                .isPresent());
        assertThat(broker.isAlive()).as(() -> broker.exited().join().describe()).isTrue();
        return "127.0.0.1:" + portOf(stateFile());
    }

    private static int portOf(Path stateFile) {
        try {
            return PidFile.read(stateFile).orElseThrow().port();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Path stateFile() {
        return directory.resolve("run/broker.json");
    }
}
