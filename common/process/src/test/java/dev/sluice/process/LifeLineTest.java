package dev.sluice.process;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LifeLineTest {
    @TempDir
    Path folder;

    private final List<ProcessHandle> processes = new ArrayList<>();

    @AfterEach
    void killAll() {
        processes.forEach(ProcessHandle::destroyForcibly);
    }

    @Test
    void aJavaChildEndsWhenItsParentIsKilled() throws IOException {
        ProcessHandle child = childOfKilledParent(Life.STDIN, Jvm.command(LifeLineMain.class), "watching true");

        await().until(() -> !Running.is(child));
        assertThat(lines()).contains("life line closed");
    }

    @Test
    void aProgramThatKnowsNoLifeLineEndsWhenItsParentIsKilled() throws IOException {
        ProcessHandle child = childOfKilledParent(Life.GUARDED, List.of("sh", "-c", "echo up; exec sleep 300"), "up");

        await().until(() -> !Running.is(child));
    }

    @Test
    void aDetachedChildOutlivesItsKilledParent() throws IOException {
        ProcessHandle child = childOfKilledParent(
                Life.DETACHED, List.of("sh", "-c", "cat; echo no stdin; exec sleep 300"), "no stdin");

        await().during(Duration.ofMillis(300)).until(() -> Running.is(child));
    }

    @Test
    void aGuardedProgramGetsOneSigtermAndReadsAnEmptyStdin() throws Exception {
        ChildProcess child = ChildProcess.start(ChildCommand.of(
                        List.of(
                                "sh",
                                "-c",
                                "cat; trap 'echo got TERM; exit 0' TERM; echo up; while :; do sleep 0.1; done"),
                        folder,
                        log())
                .withLife(Life.GUARDED));
        await().until(() -> lines().contains("up"));

        ChildExit exit = child.stop(Duration.ofSeconds(20));

        assertThat(exit.lastLines()).containsExactly("up", "got TERM");
        assertThat(exit.clean()).isTrue();
    }

    @Test
    void theGuardEndsWhatAProgramThatEndedByItselfLeftInItsGroup() throws Exception {
        ChildProcess child =
                ChildProcess.start(ChildCommand.of(List.of("sh", "-c", "sleep 300 & echo $!"), folder, log())
                        .withLife(Life.GUARDED));

        String orphan = child.exited().get(20, SECONDS).lastLines().getFirst();

        await().until(() ->
                ProcessHandle.of(Long.parseLong(orphan)).filter(Running::is).isEmpty());
    }

    @Test
    void withoutALifeLineStdinIsLeftAlone() {
        boolean watched = LifeLine.watchStdin(() -> {});

        assertThat(watched).isFalse();
    }

    @Test
    void aProcessThatDoesNotEndAfterItsLifeLineIsHalted() {
        AtomicBoolean asked = new AtomicBoolean();
        AtomicInteger haltedWith = new AtomicInteger();

        LifeLine.watch(
                new ByteArrayInputStream(new byte[2_000]),
                () -> asked.set(true),
                Duration.ofMillis(50),
                haltedWith::set);

        await().untilAtomic(haltedWith, org.hamcrest.Matchers.is(70));
        assertThat(asked).isTrue();
    }

    private ProcessHandle childOfKilledParent(Life life, List<String> command, String sign) throws IOException {
        List<String> parentCommand = new ArrayList<>(Jvm.command(ParentMain.class, life.name(), log().toString()));
        parentCommand.addAll(command);
        Process parent = new ProcessBuilder(parentCommand)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        processes.add(parent.toHandle());
        try (BufferedReader output = parent.inputReader()) {
            ProcessHandle child =
                    ProcessHandle.of(Long.parseLong(output.readLine())).orElseThrow();
            processes.add(child);
            await().until(() -> lines().contains(sign));
            parent.destroyForcibly();
            return child;
        }
    }

    private Path log() {
        return folder.resolve("child.log");
    }

    private List<String> lines() {
        return new LogTail(log(), 0).lines(20);
    }
}
