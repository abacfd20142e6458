package dev.sluice.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PidFileTest {
    @TempDir
    Path folder;

    private ChildProcess child;

    @BeforeEach
    void startChild() throws IOException {
        child = ChildProcess.start(ChildCommand.of(
                        List.of("sh", "-c", "setsid sleep 300 & echo $!; sleep 300"), folder, folder.resolve("log"))
                .withLife(Life.DETACHED));
        await().until(() -> !child.lastLines(1).isEmpty());
    }

    @AfterEach
    void stopChild() {
        child.stop(Duration.ZERO);
    }

    @Test
    void aPidFileReadsAsItWasWritten() throws IOException {
        PidFile written = PidFile.of(child, 21_234);

        written.write(folder.resolve("run/child.json"));

        assertThat(PidFile.read(folder.resolve("run/child.json"))).contains(written);
        assertThat(Files.readString(folder.resolve("run/child.json")))
                .isEqualTo("{\"pid\":" + child.pid() + ",\"port\":21234,\"startTime\":\"" + child.startTime() + "\"}");
        assertThat(PidFile.read(folder.resolve("run/absent.json"))).isEmpty();
    }

    @Test
    void aPidFileNamesItsProcessAndNoLaterOneWithTheSamePid() {
        PidFile same = PidFile.of(child, 0);
        PidFile earlier = new PidFile(child.pid(), 0, child.startTime().minusSeconds(60));

        assertThat(same.process()).isPresent();
        assertThat(earlier.process()).isEmpty();
    }

    @Test
    void aBrokenPidFileIsNamed() throws IOException {
        for (String broken :
                List.of("", "[]", "{\"pid\": 1, \"port\": 70000, \"startTime\": \"x\"}", "{\"pid\": -1}")) {
            Files.writeString(folder.resolve("child.json"), broken);

            assertThatThrownBy(() -> PidFile.read(folder.resolve("child.json")))
                    .as(broken)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(folder.resolve("child.json") + " is not a pid file");
        }
    }

    @Test
    void aSweepStopsWhatAPidFileNamesWithAllItStarted() throws IOException {
        PidFile left = PidFile.of(child, 0);
        left.write(folder.resolve("run/worker.json"));
        long grandchild = Long.parseLong(child.lastLines(1).getFirst());

        List<PidFile> stopped = Leftovers.sweep(folder.resolve("run"), Duration.ofSeconds(5));

        assertThat(stopped).containsExactly(left);
        assertThat(child.isAlive()).isFalse();
        await().until(() -> ProcessHandle.of(grandchild).filter(Running::is).isEmpty());
        assertThat(folder.resolve("run/worker.json")).doesNotExist();
    }

    @Test
    void aSweepNeverTouchesAReusedPidNorItself() throws IOException {
        new PidFile(child.pid(), 0, child.startTime().minusSeconds(60)).write(folder.resolve("run/old.json"));
        PidFile.ofThisProcess(0).write(folder.resolve("run/self.json"));
        new PidFile(4_194_000, 0, Instant.now()).write(folder.resolve("run/gone.json"));
        Files.writeString(folder.resolve("run/broken.json"), "{");

        List<PidFile> stopped = Leftovers.sweep(folder.resolve("run"), Duration.ZERO);

        assertThat(stopped).isEmpty();
        assertThat(child.isAlive()).isTrue();
        assertThat(folder.resolve("run")).isEmptyDirectory();
    }
}
