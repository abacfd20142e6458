package dev.sluice.process;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessTest {
    private static final Duration LONG_GRACE = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private final List<ChildProcess> started = new ArrayList<>();

    @AfterEach
    void stopAll() {
        started.forEach(child -> child.stop(Duration.ZERO));
    }

    @Test
    void aChildThatEndsLeavesItsCodeAndItsLastTwentyLines() throws Exception {
        ChildProcess child = sh("for i in $(seq 1 30); do echo line $i; done; exit 3");

        ChildExit exit = child.exited().get(20, SECONDS);

        assertThat(exit.code()).hasValue(3);
        assertThat(exit.clean()).isFalse();
        assertThat(exit.lastLines())
                .isEqualTo(
                        IntStream.rangeClosed(11, 30).mapToObj(i -> "line " + i).toList());
        assertThat(exit.describe()).contains("ended with code 3").contains("\n  line 30");
    }

    @Test
    void linesOfAnEarlierChildInTheSameLogFileAreNotItsOwn() throws Exception {
        sh("echo before").exited().get(20, SECONDS);

        ChildExit exit = sh("printf 'after \\033[31mred\\033[0m\\n'").exited().get(20, SECONDS);

        assertThat(exit.lastLines()).containsExactly("after red");
        assertThat(Files.readString(folder.resolve("log/child.log"))).startsWith("before\nafter");
    }

    @Test
    void theEnvironmentIsTheParentsWithTheAdditions() throws Exception {
        ChildCommand command = command("echo $GREETING $SLUICE_LIFELINE; test -n \"$PATH\"")
                .withEnvironment(Map.of("GREETING", "hello"));

        ChildExit exit = start(command).exited().get(20, SECONDS);

        assertThat(exit.lastLines()).containsExactly("hello stdin");
        assertThat(exit.clean()).isTrue();
    }

    @Test
    void aChildLeadsASessionOfItsOwnSoThatTheTerminalsInterruptDoesNotReachIt() throws Exception {
        ChildProcess child = sh("ps -o pgid= -o sid= -p $$");

        ChildExit exit = child.exited().get(20, SECONDS);

        assertThat(exit.lastLines().getFirst().trim().split(" +")).containsOnly(Long.toString(child.pid()));
    }

    @Test
    void stoppingClosesStdin() {
        ChildProcess child = sh("trap '' TERM; cat -; echo stdin closed");
        awaitRunning(child, "cat -");

        ChildExit exit = child.stop(LONG_GRACE);

        assertThat(exit.lastLines()).containsExactly("stdin closed");
        assertThat(exit.clean()).isTrue();
    }

    @Test
    void aChildThatIgnoresTheGraceIsKilledWithEverythingItStarted() {
        ChildProcess child = sh("trap '' TERM; setsid sleep 300 & sleep 300 & echo $!; while :; do sleep 0.1; done");
        awaitRunning(child, "sleep 300", "sleep 300");
        List<ProcessHandle> descendants = descendants(child);

        ChildExit exit = child.stop(Duration.ofMillis(300));

        assertThat(exit.code()).hasValue(137);
        assertThat(exit.describe()).contains("SIGKILL");
        assertThat(descendants).hasSizeGreaterThanOrEqualTo(2).noneMatch(Running::is);
    }

    @Test
    void orphansOfAChildThatEndedByItselfAreKilledByStop() throws Exception {
        ChildProcess child = sh("setsid sleep 300 & echo $!");
        long orphan = Long.parseLong(child.exited().get(20, SECONDS).lastLines().getFirst());
        assertThat(ProcessHandle.of(orphan)).isPresent();

        child.stop(Duration.ZERO);

        await().untilAsserted(() ->
                assertThat(ProcessHandle.of(orphan).filter(Running::is)).isEmpty());
    }

    @Test
    void theStartTimeIsRecorded() {
        Instant before = Instant.now();

        ChildProcess child = sh("sleep 300");

        assertThat(child.startTime())
                .isBetween(before.minusSeconds(3), Instant.now().plusSeconds(3));
        assertThat(child.isAlive()).isTrue();
    }

    @Test
    void aLivingProcessCanBeAdoptedAndStopped() {
        ChildCommand command = command("echo first life; exec sleep 300").withLife(Life.DETACHED);
        ChildProcess child = start(command);
        await().until(() -> !child.lastLines(1).isEmpty());

        ChildProcess adopted = ChildProcess.adopt(PidFile.of(child, 0), command).orElseThrow();

        ChildExit exit = adopted.stop(LONG_GRACE);
        assertThat(exit.code()).isEmpty();
        assertThat(exit.lastLines()).containsExactly("first life");
        await().until(() -> !child.isAlive());
    }

    @Test
    void aMissingProgramOrFolderIsNamedBeforeAnythingStarts() {
        ChildCommand program = ChildCommand.of(List.of("no-such-program"), folder, folder.resolve("x.log"));
        ChildCommand directory = ChildCommand.of(List.of("sh"), folder.resolve("absent"), folder.resolve("x.log"));

        assertThatThrownBy(() -> ChildProcess.start(program))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("There is no program 'no-such-program' on PATH");
        assertThatThrownBy(() -> ChildProcess.start(directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("does not exist; create it");
    }

    @Test
    void hostileCommandsAreRefused() {
        ChildCommand good = command("true");

        assertThatThrownBy(() -> good.withEnvironment(Map.of("A=B", "x"))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> good.withEnvironment(Map.of("SLUICE_LIFELINE", "x")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ChildCommand.of(List.of("sh", "a\0b"), folder, folder.resolve("x.log")))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ChildCommand.of(List.of(), folder, folder.resolve("x.log")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private ChildCommand command(String script) {
        return ChildCommand.of(List.of("sh", "-c", script), folder, folder.resolve("log/child.log"));
    }

    private ChildProcess sh(String script) {
        return start(command(script));
    }

    private ChildProcess start(ChildCommand command) {
        try {
            ChildProcess child = ChildProcess.start(command);
            started.add(child);
            return child;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitRunning(ChildProcess child, String... commands) {
        await().until(() -> descendants(child).stream()
                        .flatMap(process -> process.info().commandLine().stream())
                        .filter(line -> List.of(commands).stream().anyMatch(line::endsWith))
                        .count()
                >= commands.length);
    }

    private static List<ProcessHandle> descendants(ChildProcess child) {
        return ProcessHandle.of(child.pid()).orElseThrow().descendants().toList();
    }
}
