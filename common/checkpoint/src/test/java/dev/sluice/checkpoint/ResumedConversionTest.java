package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversions that are given up and asked for again, within one process. */
class ResumedConversionTest {
    private static final WriteSettings SMALL = ConversionProcess.SMALL_STRETCHES;

    @TempDir
    Path folder;

    @Test
    void keepsWhatItHasWhenItIsGivenUpAndThenGoesOn() throws IOException {
        // Given
        Path out = folder.resolve("out");
        giveUpHalfway(Fixtures.HUGGING_FACE, out);
        ConversionPlan plan = Conversion.planToTorchDist(Fixtures.HUGGING_FACE, out);

        // When
        Resumed resumed = new Resumed();
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, SMALL, resumed);

        // Then
        assertThat(plan.bytesKept()).isPositive().isLessThan(plan.bytes());
        assertThat(plan.unfinished()).isEmpty();
        assertThat(resumed.bytesKept).hasValue(plan.bytesKept());
        assertThat(resumed.firstReport).hasValue(plan.bytesKept());
        assertSound(out);
    }

    @Test
    void writesAgainWhatWasDamagedSince() throws IOException {
        // Given one byte of what was finished is another, and one file has lost its end
        Path out = folder.resolve("out");
        giveUpHalfway(Fixtures.HUGGING_FACE, out);
        Path file = partial("/files/release/__0_0.distcp");
        byte[] content = Files.readAllBytes(file);
        content[2_000] ^= 1;
        Files.write(file, content);

        // When
        Resumed resumed = new Resumed();
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, SMALL, resumed);

        // Then
        assertThat(resumed.bytesKept.get()).isPositive();
        assertSound(out);
    }

    @Test
    void writesEverythingAgainWhenTheFilesAreGone() throws IOException {
        // Given
        Path out = folder.resolve("out");
        giveUpHalfway(Fixtures.HUGGING_FACE, out);
        Files.write(partial("/files/release/__0_0.distcp"), new byte[0]);

        // When
        Resumed resumed = new Resumed();
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, SMALL, resumed);

        // Then
        assertThat(resumed.bytesKept).hasValue(-1);
        assertSound(out);
    }

    @Test
    void reachesNoFurtherThanTheSoundLinesOfItsJournal() throws IOException {
        // Given a crash cut the last line short and a disk error changed another
        Path out = folder.resolve("out");
        giveUpHalfway(Fixtures.HUGGING_FACE, out);
        Path journal = partial("/journal");
        List<String> lines = Files.readAllLines(journal);
        lines.set(1, lines.get(1).replaceFirst("release", "releasf"));
        String text = String.join("\n", lines);
        Files.writeString(journal, text.substring(0, text.length() - 3));

        // When
        Resumed resumed = new Resumed();
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, SMALL, resumed);

        // Then
        assertThat(resumed.bytesKept.get()).isPositive();
        assertSound(out);
    }

    @Test
    void neverGoesOnWithAnotherSource() throws IOException {
        // Given the same model with other numbers, of the same sizes
        Path source = CopiedFiles.copy(Fixtures.HUGGING_FACE, folder.resolve("source"));
        Path out = folder.resolve("out");
        giveUpHalfway(source, out);
        Path shard = source.resolve("model-00002-of-00002.safetensors");
        byte[] content = Files.readAllBytes(shard);
        content[content.length - 1] ^= 1;
        Files.write(shard, content);
        Files.setLastModifiedTime(shard, FileTime.fromMillis(1_000_000_000_000L));

        ConversionPlan plan = Conversion.planToTorchDist(source, out);

        // When
        Resumed resumed = new Resumed();
        Conversion.toTorchDist(source, out, SMALL, resumed);

        // Then it began anew, and nothing of the first source is left
        assertThat(resumed.bytesKept).hasValue(-1);
        assertThat(plan.bytesKept()).isZero();
        assertThat(plan.unfinished()).singleElement().satisfies(left -> {
            assertThat(left.directory().getParent()).isEqualTo(folder);
            assertThat(left.bytes()).isPositive().isLessThan(plan.bytes());
        });
        Manifest.verify(out);
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactlyInAnyOrder(source, out);
        }
    }

    @Test
    void isCancelledByAnInterruptAndKeepsWhatItHas() throws Exception {
        // Given
        Path out = folder.resolve("out");
        CountDownLatch halfway = new CountDownLatch(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<Boolean> stillInterrupted = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, SMALL, (done, total) -> {
                    if (done > total / 2) {
                        halfway.countDown();
                        sleep();
                    }
                });
            } catch (CheckpointException e) {
                failure.set(e);
                stillInterrupted.set(Thread.currentThread().isInterrupted());
            }
        });
        thread.start();
        halfway.await();

        // When
        thread.interrupt();
        thread.join();

        // Then
        assertThat(failure.get()).hasMessageContaining("was interrupted after").hasMessageContaining("run it again");
        assertThat(stillInterrupted).hasValue(true);
        assertThat(out).doesNotExist();
        Resumed resumed = new Resumed();
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, SMALL, resumed);
        assertThat(resumed.bytesKept.get()).isPositive();
        assertSound(out);
    }

    @Test
    void refusesATargetThatAnotherConversionWrites() {
        // Given
        Path out = folder.resolve("out");
        AtomicReference<Throwable> second = new AtomicReference<>();

        // When
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, (done, total) -> {
            try {
                Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, Progress.NONE);
            } catch (CheckpointException e) {
                second.set(e);
            }
        });

        // Then
        assertThat(second.get())
                .hasMessageContaining(out + " is being written by process "
                        + ProcessHandle.current().pid());
        assertThat(out).exists();
    }

    @Test
    void refusesATargetThatAnotherProcessWrites() throws Exception {
        // Given
        Path out = folder.resolve("out");
        Process other = ConversionProcess.start("torch_dist", Fixtures.HUGGING_FACE, out);
        Path lock = folder.resolve(".out.lock");
        while (!Files.exists(lock) || Files.size(lock) == 0) {
            Thread.onSpinWait();
        }

        // When / Then
        assertThatThrownBy(() -> Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, Progress.NONE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is being written by process " + other.pid());
        other.destroyForcibly().waitFor();

        // Then the lock died with its process
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, out, Progress.NONE);
        assertThat(lock).doesNotExist();
    }

    private static void sleep() {
        try {
            Thread.sleep(60_000);
        } catch (InterruptedException e) {
            throw new IllegalStateException("stopped", e);
        }
    }

    private static void giveUpHalfway(Path source, Path out) {
        assertThatThrownBy(() -> Conversion.toTorchDist(source, out, SMALL, (done, total) -> {
                    if (done > total / 2) {
                        throw new IllegalStateException("given up");
                    }
                }))
                .hasMessage("given up");
        assertThat(out).doesNotExist();
    }

    private Path partial(String path) throws IOException {
        try (var listed = Files.list(folder)) {
            return listed.filter(file -> file.getFileName().toString().startsWith(".out.partial-"))
                    .map(file -> Path.of(file + path))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** As a conversion writes that nobody disturbed. */
    private void assertSound(Path out) throws IOException {
        Path undisturbed = folder.resolve("undisturbed");
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, undisturbed, Progress.NONE);
        assertThat(CopiedFiles.content(out)).isEqualTo(CopiedFiles.content(undisturbed));
    }

    private static final class Resumed implements Progress {
        final AtomicLong bytesKept = new AtomicLong(-1);
        final AtomicLong firstReport = new AtomicLong(-1);

        @Override
        public void resumedAt(long kept, long bytesTotal) {
            bytesKept.set(kept);
        }

        @Override
        public void at(long bytesDone, long bytesTotal) {
            firstReport.compareAndSet(-1, bytesDone);
        }
    }
}
