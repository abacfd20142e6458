package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.converter.TargetLock.Patience;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetLockTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration LOOK = Duration.ofMillis(20);

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final List<Process> children = new CopyOnWriteArrayList<>();

    @TempDir
    Path directory;

    @AfterEach
    void endChildren() throws InterruptedException {
        for (Process child : children) {
            child.destroyForcibly().waitFor();
        }
    }

    @Test
    void aTargetHasOneHolderAtATime() throws IOException {
        Path target = directory.resolve("target");
        try (TargetLock held = TargetLock.tryAcquire(target, "first").orElseThrow()) {
            assertThat(TargetLock.tryAcquire(target, "second")).isEmpty();
        }
        try (TargetLock again = TargetLock.tryAcquire(target, "second").orElseThrow()) {
            assertThat(again).isNotNull();
        }
    }

    @Test
    void theSameTargetBehindALinkIsTheSame() throws IOException {
        Files.createDirectory(directory.resolve("real"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("real"));
        try (TargetLock held =
                TargetLock.tryAcquire(directory.resolve("real/target"), "first").orElseThrow()) {
            assertThat(TargetLock.tryAcquire(link.resolve("target"), "second")).isEmpty();
        }
    }

    @Test
    void aThreadThatWaitsIsToldWhoHoldsAndGetsTheTargetThen() throws Exception {
        Path target = directory.resolve("target");
        TargetLock held = TargetLock.tryAcquire(target, "converter-1").orElseThrow();

        CompletableFuture<TargetLock> waiting = CompletableFuture.supplyAsync(() -> acquire(target, LONG));
        await().until(() -> !told.isEmpty());
        held.close();

        waiting.get().close();
        assertThat(told.getFirst())
                .startsWith("converter-1 (process " + ProcessHandle.current().pid() + " on ");
    }

    @Test
    void afterItsDeadlineAWaiterSaysWhoHoldsTheTargetAndWhatToDo() throws IOException {
        Path target = directory.resolve("target");
        try (TargetLock held = TargetLock.tryAcquire(target, "converter-1").orElseThrow()) {
            assertThatThrownBy(() -> acquire(target, Duration.ofMillis(100)))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(target.toString())
                    .hasMessageContaining("converter-1 (process ")
                    .hasMessageContaining("end it, which frees the target")
                    .hasMessageContaining("raise some.key");
        }
    }

    @Test
    void aKilledProcessHoldsNothing() throws Exception {
        Path target = directory.resolve("target");
        Process child = child(target, "taken");

        CompletableFuture<TargetLock> waiting = CompletableFuture.supplyAsync(() -> acquire(target, LONG));
        await().atMost(LONG).until(() -> !told.isEmpty());
        child.destroyForcibly().waitFor();

        waiting.get().close();
        assertThat(told.getFirst()).startsWith("child (process " + child.pid() + " on ");
    }

    /** Closing any channel to a lock file would drop the lock for other processes; the refused thread must not open one. */
    @Test
    void aRefusedThreadDoesNotFreeTheTargetForOtherProcesses() throws Exception {
        Path target = directory.resolve("target");
        try (TargetLock held = TargetLock.tryAcquire(target, "first").orElseThrow()) {
            assertThat(TargetLock.tryAcquire(target, "second")).isEmpty();

            child(target, "refused");
        }
    }

    @Test
    void aLockFileWithoutAReadableNameIsNoReasonToFail() {
        assertThat(LockHolder.read(new byte[0]).describe(java.time.Instant.now()))
                .isEqualTo("a process that has not said its name");
        assertThat(LockHolder.read("{\"pid\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8))
                        .pid())
                .isZero();
    }

    private Process child(Path target, String expected) throws IOException {
        Path answer = directory.resolve("answer");
        Process child =
                ChildJvm.start(directory.resolve("child.log"), HoldingMain.class, target.toString(), answer.toString());
        children.add(child);
        await().atMost(LONG).until(() -> Files.exists(answer));
        assertThat(answer).content().isEqualTo(expected);
        return child;
    }

    private TargetLock acquire(Path target, Duration deadline) {
        try {
            return TargetLock.acquire(target, "waiter", new Patience(deadline, LOOK, "some.key", told::add));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
